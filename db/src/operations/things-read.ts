import type { Thing, ThingVersion } from '@dot-do/worker-contracts/thing'
import type { Call } from '@dot-do/worker-kernel/call'
import { decodeCursor, pageOf, ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { connectionAs, type Statement } from '../database.ts'
import type { Env } from '../env.ts'
import { namespaceFor } from '../namespace.ts'
import type { Operations } from '../operations.ts'
import { countThings, findThing, listThings, listVersions, summarise } from '../things.ts'

export const get: Operations['get'] = async ({ id, ns }, call) => {
  const [thing] = await column<z.input<typeof Thing>>(findThing(namespaceFor(call.principal, ns), id), call)
  if (!thing) throw new ServiceError('NOT_FOUND', `No thing ${id}`)
  return thing
}

export const list: Operations['list'] = async ({ ns, type, limit, cursor }, call) => {
  const after = cursor === undefined ? '' : decodeCursor(cursor, isId)
  const things = await column<z.input<typeof Thing>>(listThings({ ns: namespaceFor(call.principal, ns), type, after, limit }), call)
  return pageOf(things, limit, ({ $id }) => $id)
}

export const count: Operations['count'] = async ({ ns, type }, call) => {
  const [things = 0] = await column<number>(countThings(namespaceFor(call.principal, ns), type), call)
  return { count: things }
}

export const history: Operations['history'] = async ({ id, ns, limit, cursor }, call) => {
  const before = cursor === undefined ? 2_147_483_647 : decodeCursor(cursor, isVersion)
  const versions = await column<z.input<typeof ThingVersion>>(listVersions({ ns: namespaceFor(call.principal, ns), id, before, limit }), call)
  if (versions.length === 0 && cursor === undefined) throw new ServiceError('NOT_FOUND', `No thing ${id}`)
  return pageOf(versions, limit, ({ version }) => version)
}

export const stats: Operations['stats'] = async ({ ns }, call) => {
  const [summary] = await column<Awaited<ReturnType<Operations['stats']>>>(summarise(namespaceFor(call.principal, ns)), call)
  if (!summary) throw new TypeError('An aggregate gave no row')
  return summary
}

/** The only column of a statement's rows; its type is what the statement's SQL builds, and the contract's output schema checks it. */
async function column<Value>(statement: Statement, { env }: Call<Env>): Promise<Value[]> {
  const connection = await connectionAs('db', env)
  const [result] = await connection([statement])
  return (result?.rows ?? []).map(([value]) => value as Value)
}

function isId(place: unknown): place is string {
  return typeof place === 'string'
}

function isVersion(place: unknown): place is number {
  return Number.isSafeInteger(place)
}

import type { Thing, ThingVersion } from '@dot-do/worker-contracts/thing'
import type { Call } from '@dot-do/worker-kernel/call'
import { decodeCursor, namespaceFor, pageOf, ServiceError } from '@dot-do/worker-utils'
import { isThingId } from '@dot-do/worker-utils/thing-id'
import type * as z from 'zod'
import type { Env } from '../env.ts'
import { momentOf } from '../moment.ts'
import type { Operations } from '../operations.ts'
import { readColumn } from '../read-column.ts'
import { parseThingPath, type When } from '../thing-path.ts'
import { countThings, findThing, findThingAsOf, listThings, listVersions } from '../things.ts'

type ThingJson = z.input<typeof Thing>

export const get: Operations['get'] = async ({ id: path, ns }, call) => {
  const { id, type, when } = parseThingPath(path)
  const thing = await read({ ns: namespaceFor(call.principal, ns), id, when }, call)
  if (!thing || (type !== undefined && thing.$type !== type)) throw new ServiceError('NOT_FOUND', `No thing ${path}`)
  return thing
}

export const getAt: Operations['getAt'] = async ({ id, ns, at }, call) => {
  const moment = momentOf(at)
  if (moment === undefined)
    throw new ServiceError('INVALID', 'The input does not fit', { details: [{ path: 'at', message: 'Must be a moment that there is' }] })
  const thing = await read({ ns: namespaceFor(call.principal, ns), id, when: { at: moment } }, call)
  if (!thing) throw new ServiceError('NOT_FOUND', `No thing ${id} at ${at}`)
  return thing
}

export const list: Operations['list'] = async ({ ns, id, type, filter, limit, cursor }, call) => {
  const after = cursor === undefined ? '' : decodeCursor(cursor, isId)
  const things = await readColumn<ThingJson>(listThings({ ns: namespaceFor(call.principal, ns), id, type, filter }, { after, limit }), call)
  return pageOf(things, limit, ({ $id }) => $id)
}

export const count: Operations['count'] = async ({ ns, id, type, filter }, call) => {
  const [things = 0] = await readColumn<number>(countThings({ ns: namespaceFor(call.principal, ns), id, type, filter }), call)
  return { count: things }
}

export const history: Operations['history'] = async ({ id, ns, limit, cursor }, call) => {
  const before = cursor === undefined ? MAX_VERSION : decodeCursor(cursor, isVersion)
  const versions = await readColumn<z.input<typeof ThingVersion>>(listVersions({ ns: namespaceFor(call.principal, ns), id, before, limit }), call)
  if (versions.length === 0 && cursor === undefined) throw new ServiceError('NOT_FOUND', `No thing ${id}`)
  return pageOf(versions, limit, ({ version }) => version)
}

async function read({ ns, id, when }: { ns: string; id: string; when: When | undefined }, call: Call<Env>): Promise<ThingJson | null | undefined> {
  const [thing] = await readColumn<ThingJson | null>(when ? findThingAsOf(ns, id, when) : findThing(ns, id), call)
  return thing
}

/** PostgreSQL's largest integer. */
const MAX_VERSION = 2_147_483_647

function isId(place: unknown): place is string {
  return typeof place === 'string' && isThingId(place)
}

function isVersion(place: unknown): place is number {
  return Number.isSafeInteger(place) && Math.abs(Number(place)) <= MAX_VERSION
}

import { predicate as predicateSchema, type Relationship, type WalkedRelationship } from '@dot-do/worker-contracts/relationship'
import type { Call } from '@dot-do/worker-kernel/call'
import type { PaginatedResponse } from '@dot-do/worker-types'
import { decodeCursor, namespaceFor, pageOf, ServiceError } from '@dot-do/worker-utils'
import { isThingId } from '@dot-do/worker-utils/thing-id'
import type * as z from 'zod'
import { apply } from '../apply.ts'
import { commandOf } from '../command-of.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { readColumn } from '../read-column.ts'
import { walkStatement, type Walk, type WalkPlace } from '../relationships.ts'

type RelationshipJson = z.input<typeof Relationship>
type WalkedJson = z.input<typeof WalkedRelationship>

export const relate: Operations['relate'] = async (input, call) =>
  apply<RelationshipJson>([await commandOf.relate(input, { principal: call.principal, path: '' })], 'one', call)

export const unrelate: Operations['unrelate'] = async (input, call) =>
  apply<RelationshipJson>([await commandOf.unrelate(input, { principal: call.principal, path: '' })], 'one', call)

export const relationships: Operations['relationships'] = ({ ns, from, predicate, depth, limit, cursor }, call) =>
  walk({ ns: namespaceFor(call.principal, ns), start: from, predicate, depth, limit, backwards: false }, cursor, call)

export const incoming: Operations['incoming'] = ({ ns, to, predicate, depth, limit, cursor }, call) =>
  walk({ ns: namespaceFor(call.principal, ns), start: to, predicate, depth, limit, backwards: true }, cursor, call)

async function walk(asked: Omit<Walk, 'after'>, cursor: string | undefined, call: Call<Env>): Promise<PaginatedResponse<WalkedJson>> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor, isWalkPlace)
  const [met] = await readColumn<WalkedJson[] | null>(walkStatement({ ...asked, after }), call)
  if (!met) {
    const message = 'There are too many things on the way: ask for a smaller depth, or for one predicate'
    throw new ServiceError('INVALID', message, { details: [{ path: 'depth', message }] })
  }
  return pageOf(met, asked.limit, ({ depth, from, predicate, to }) => (asked.backwards ? [depth, to, predicate, from] : [depth, from, predicate, to]))
}

function isWalkPlace(place: unknown): place is WalkPlace {
  if (!Array.isArray(place) || place.length !== 4) return false
  const [depth, near, predicate, far]: unknown[] = place
  const isDepth = Number.isInteger(depth) && Number(depth) >= 1 && Number(depth) <= 5
  return isDepth && isId(near) && predicateSchema.safeParse(predicate).success && isId(far)
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && isThingId(value)
}

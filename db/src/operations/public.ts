import type { Thing } from '@dot-do/worker-contracts/thing'
import { decodeCursor, pageOf, ServiceError } from '@dot-do/worker-utils'
import { isThingId } from '@dot-do/worker-utils/thing-id'
import type * as z from 'zod'
import type { Operations } from '../operations.ts'
import { readColumn } from '../read-column.ts'
import { parseThingPath } from '../thing-path.ts'
import { findPublicThing, findPublicThingAsOf, listPublicThings } from '../things.ts'

type ThingJson = z.input<typeof Thing>

export const getPublic: Operations['getPublic'] = async ({ ns, id: path }, call) => {
  const { id, type, when } = parseThingPath(path)
  const [thing] = await readColumn<ThingJson | null>(when ? findPublicThingAsOf(ns, id, when) : findPublicThing(ns, id), call)
  if (!thing || (type !== undefined && thing.$type !== type)) throw new ServiceError('NOT_FOUND', `No public thing ${path}`)
  return thing
}

export const listPublic: Operations['listPublic'] = async ({ ns, id, type, limit, cursor }, call) => {
  const after = cursor === undefined ? '' : decodeCursor(cursor, isId)
  const things = await readColumn<ThingJson>(listPublicThings({ ns, id, type }, { after, limit }), call)
  return pageOf(things, limit, ({ $id }) => $id)
}

function isId(place: unknown): place is string {
  return typeof place === 'string' && isThingId(place)
}

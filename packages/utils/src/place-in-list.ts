import { timestampSchema } from '@dot-do/worker-schemas'
import { decodeCursor } from './cursor.ts'

/** Where a page of a list by time ended: when, and at which id of those of the same moment. INVALID for a cursor that is no such place. */
export function placeInList(cursor: string): [at: string, id: string] {
  return decodeCursor(cursor, isPlace)
}

function isPlace(value: unknown): value is [at: string, id: string] {
  return Array.isArray(value) && timestampSchema.safeParse(value[0]).success && typeof value[1] === 'string'
}

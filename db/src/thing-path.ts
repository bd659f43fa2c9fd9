import { ServiceError } from '@dot-do/worker-utils'
import { momentOf } from './moment.ts'

/** Which state of a thing: that of a version, or the last one up to a moment. */
export type When = { version: number } | { at: string }

/** One thing as a path names it. */
export interface ThingPath {
  id: string
  /** What type it must be of. */
  type?: string
  /** Absent for the thing as it is. */
  when?: When
}

/** Takes a path apart that fits `thingPathSchema`: `note/hello::Note@2026-11-21`. INVALID for a day that is on no calendar. */
export function parseThingPath(path: string): ThingPath {
  const [named = '', suffix] = path.split('@')
  const [id = '', type] = named.split('::')
  return { id, ...(type !== undefined && { type }), ...(suffix !== undefined && { when: whenOf(suffix) }) }
}

function whenOf(suffix: string): When {
  if (/^\d+$/.test(suffix)) return { version: Number(suffix) }
  const at = momentOf(suffix, 'end')
  if (at !== undefined) return { at }
  throw new ServiceError('INVALID', 'The input does not fit', { details: [{ path: 'id', message: 'Must name a day or a moment that there is' }] })
}

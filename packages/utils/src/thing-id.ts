import { thingIdMaxBytes, thingIdPattern } from '@dot-do/worker-schemas/patterns'

/** Whether a text may be the `$id` of a thing: `note/2026/hello`, never `../secrets`, at most 512 bytes. */
export function isThingId(text: string): boolean {
  return text.length <= thingIdMaxBytes && thingIdPattern.test(text)
}

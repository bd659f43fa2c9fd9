const FORM = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/

/** What PostgreSQL and ISO 8601 with four digits both can write. Nothing here is older or will be younger, so a moment outside stands for the nearer end. */
const FIRST = Date.parse('0001-01-01T00:00:00.000Z')
const LAST = Date.parse('9999-12-31T23:59:59.999Z')

/**
 * A day or a moment in ISO 8601, as a moment in UTC to the millisecond, which is how exactly changes are dated. A day alone is its first moment, or its last one where
 * the end is asked for. Undefined for what is on no calendar.
 */
export function momentOf(text: string, ofDay: 'start' | 'end' = 'start'): string | undefined {
  const [, day, time] = FORM.exec(text) ?? []
  if (day === undefined || !isOnCalendar(day)) return undefined
  const moment = Date.parse(time === undefined ? `${day}T${ofDay === 'start' ? '00:00:00.000Z' : '23:59:59.999Z'}` : text)
  return Number.isNaN(moment) ? undefined : new Date(Math.min(Math.max(moment, FIRST), LAST)).toISOString()
}

/** Date.parse takes the 30th of February for the 2nd of March. */
function isOnCalendar(day: string): boolean {
  const start = Date.parse(`${day}T00:00:00Z`)
  return !Number.isNaN(start) && new Date(start).toISOString().startsWith(day)
}

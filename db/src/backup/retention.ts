/** Every copy of so many days stays. */
const DAYS = 14

/** Of this month and so many before it, the first copy stays. */
const MONTHS = 12

const DAY_MS = 86_400_000

/** Which copies, told by the times they are of, are no longer to be kept at a time. */
export function expiredCopies(times: readonly string[], now: string): string[] {
  const firstOfMonth = new Map<string, string>()
  for (const time of times.toSorted()) if (!firstOfMonth.has(monthOf(time))) firstOfMonth.set(monthOf(time), time)
  const oldest = new Date(Date.parse(now) - DAYS * DAY_MS).toISOString()
  const oldestMonth = monthBefore(now, MONTHS)
  return times.filter((time) => time < oldest && (firstOfMonth.get(monthOf(time)) !== time || monthOf(time) < oldestMonth))
}

/** `2026-11` of a time in UTC. */
const monthOf = (time: string): string => time.slice(0, 7)

function monthBefore(now: string, count: number): string {
  const date = new Date(now)
  return monthOf(new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - count)).toISOString())
}

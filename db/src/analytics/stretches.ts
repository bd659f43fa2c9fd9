/** A time from including to excluding, in milliseconds since 1970. */
export type Stretch = [from: number, to: number]

/** A time as the hours that are summed up divide it. */
export interface Divided {
  /** Whole hours that are summed up. */
  summed: Stretch[]
  /** All else: its ends, the hour that goes on, and hours that nobody summed up. */
  open: Stretch[]
}

/** An hour has this many milliseconds. */
export const HOUR_MS = 3_600_000

/** Divides a time by the hours that are summed up, which are told by their number since 1970, in order. */
export function divide([from, to]: Stretch, hours: readonly number[]): Divided {
  const summed: Stretch[] = []
  for (const hour of hours) {
    const [start, end] = [hour * HOUR_MS, (hour + 1) * HOUR_MS]
    if (start < from || end > to) continue
    const last = summed.at(-1)
    if (last?.[1] === start) last[1] = end
    else summed.push([start, end])
  }
  const edges = [from, ...summed.flat(), to]
  const open = Array.from({ length: summed.length + 1 }, (_, index): Stretch => [edges[2 * index] ?? to, edges[2 * index + 1] ?? to])
  return { summed, open: open.filter(([start, end]) => start < end) }
}

/** The middle value; of an even number of them, the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = (sorted.length - 1) / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2
}

/** The value that a share of all lies at or under, by nearest rank. `sorted` ascends. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

/** How long requests took, in milliseconds. */
export interface Latency {
  p50Ms: number
  p95Ms: number
  p99Ms: number
  maxMs: number
}

/** Sums latencies up. */
export function latencyOf(values: number[]): Latency {
  const sorted = Float64Array.from(values).sort()
  return { p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95), p99Ms: percentile(sorted, 0.99), maxMs: percentile(sorted, 1) }
}

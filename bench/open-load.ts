import type { Stage, TargetName } from './stage.ts'
import type { Latency } from './statistics.ts'

/** What a constant arrival of requests met with. */
export interface OpenFigures {
  name: string
  perSecond: number
  achievedPerSecond: number
  latency: Latency
}

const PER_SECOND = 1_000
const DURATION_MS = 10_000
const CONNECTIONS = 64

/**
 * Sends 1,000 requests a second for ten seconds whether or not earlier ones were answered, each latency counted from when its request was due: a server that
 * stalls cannot hide it by being asked less.
 */
export async function measureOpenLoad({ load, target }: Stage, name: TargetName): Promise<OpenFigures> {
  const arrival = { kind: 'open', perSecond: PER_SECOND, connections: CONNECTIONS } as const
  const { requests, elapsedMs, latency } = await load.run({ target: target(name), arrival, durationMs: DURATION_MS })
  return { name, perSecond: PER_SECOND, achievedPerSecond: (requests * 1000) / elapsedMs, latency }
}

import type { Latency } from '../statistics.ts'

/** The ways to search. */
export const MODES = ['fullText', 'vector', 'hybrid'] as const

export type Mode = (typeof MODES)[number]

/** What searching costs among many things, on the embedded engine, one search after another. */
export interface SearchFigures {
  things: number
  /** The operation `search` with a page of 20, by mode. */
  latency: Record<Mode, Latency>
  /** Of the ten nearest, the share that the index finds. */
  recallAt10: number
}

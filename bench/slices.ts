import { availableParallelism } from 'node:os'
import type { Stage, TargetName } from './stage.ts'
import { cpuNs, machineCpuNs } from './processes.ts'
import { median, type Latency } from './statistics.ts'

/** How much is measured. */
export interface Extent {
  rounds: number
  /** How long one slice lasts. */
  seconds: number
}

/** One second, or so, of one target. CPU is in microseconds per request; workerd's, or of all its processes where it is another gateway. */
export interface Slice {
  rate: number
  latency: Latency
  workerdUs: number
  databaseUs: number
  hostUs: number
  /** CPU that strangers on this machine used, as a share of all its cores. */
  foreignShare: number
}

/** Slices of every target by round: those of one round were taken right after one another. */
export type Rounds = Record<string, Slice>[]

/** Connections of the closed load, which is what "c=16" means in every figure. */
export const CONNECTIONS = 16

const WARM_UP_MS = 2_000
const CORES = availableParallelism()

/** Beyond this, a slice says more about its neighbours than about us. */
const MAX_FOREIGN_SHARE = 0.1

/** Takes turns between the targets, in reversed order every other round, after warming each up. */
export async function measureRounds(stage: Stage, names: TargetName[], { rounds, seconds }: Extent): Promise<Rounds> {
  for (const name of names) await takeSlice(stage, name, WARM_UP_MS)
  const taken: Rounds = []
  for (let round = 0; round < rounds; round++) {
    const slices: Record<string, Slice> = {}
    for (const name of round % 2 === 0 ? names : names.toReversed()) slices[name] = await takeSlice(stage, name, seconds * 1000)
    taken.push(slices)
  }
  return taken
}

async function takeSlice({ target, load, pids }: Stage, name: TargetName, durationMs: number): Promise<Slice> {
  const read = () => ({
    workerd: name === 'fastify' ? total(pids.peer.map(cpuNs)) : cpuNs(pids.workerd),
    database: total(pids.database.map(cpuNs)),
    host: cpuNs(pids.host),
    load: cpuNs(load.pid),
    machine: machineCpuNs(),
  })
  const before = read()
  const { requests, elapsedMs, latency } = await load.run({ target: target(name), arrival: { kind: 'closed', connections: CONNECTIONS }, durationMs })
  const after = read()
  const used = (part: keyof typeof before) => after[part] - before[part]
  const perRequestUs = (part: keyof typeof before) => used(part) / 1000 / requests
  const foreign = used('machine') - used('workerd') - used('database') - used('host') - used('load')
  return {
    rate: (requests * 1000) / elapsedMs,
    latency,
    workerdUs: perRequestUs('workerd'),
    databaseUs: perRequestUs('database'),
    hostUs: perRequestUs('host'),
    foreignShare: Math.max(0, foreign / (elapsedMs * 1e6 * CORES)),
  }
}

/** One target's figures over all rounds. */
export interface Figures {
  name: string
  rate: number
  ratioToHello: number
  ratioToHop: number
  workerdUs: number
  cpuRatioToHop: number
  databaseUs: number
  hostUs: number
  latency: Latency
  /** Slices that no stranger disturbed, of all; where fewer than three are clean, all are counted. */
  clean: string
}

/** Rates and latencies are medians, ratios medians of pairs from the same round, CPU that of the best slice, which is far steadier than a median. */
export function figuresOf(rounds: Rounds, name: string): Figures {
  const all = slicesOf(rounds, name)
  const own = cleanOf(all)
  const ratioTo = (reference: string) => median(pairsOf(rounds, name, reference).map(([slice, other]) => slice.rate / other.rate))
  const best = (slices: Slice[], part: 'workerdUs' | 'databaseUs' | 'hostUs') => Math.min(...slices.map((slice) => slice[part]))
  const middle = (part: keyof Latency) => median(own.map(({ latency }) => latency[part]))
  return {
    name,
    rate: median(own.map(({ rate }) => rate)),
    ratioToHello: ratioTo('hello'),
    ratioToHop: ratioTo('hop'),
    workerdUs: best(own, 'workerdUs'),
    cpuRatioToHop: best(own, 'workerdUs') / best(cleanOf(slicesOf(rounds, 'hop')), 'workerdUs'),
    databaseUs: best(own, 'databaseUs'),
    hostUs: best(own, 'hostUs'),
    latency: { p50Ms: middle('p50Ms'), p95Ms: middle('p95Ms'), p99Ms: middle('p99Ms'), maxMs: middle('maxMs') },
    clean: `${all.filter(isClean).length}/${all.length}`,
  }
}

function slicesOf(rounds: Rounds, name: string): Slice[] {
  return rounds.flatMap(({ [name]: slice }) => (slice ? [slice] : []))
}

function pairsOf(rounds: Rounds, name: string, reference: string): [Slice, Slice][] {
  const pairs = rounds.flatMap(({ [name]: slice, [reference]: other }) => (slice && other ? [[slice, other] satisfies [Slice, Slice]] : []))
  const clean = pairs.filter((pair) => pair.every(isClean))
  return clean.length >= 3 ? clean : pairs
}

function cleanOf(slices: Slice[]): Slice[] {
  const clean = slices.filter(isClean)
  return clean.length >= 3 ? clean : slices
}

function isClean({ foreignShare }: Slice): boolean {
  return foreignShare <= MAX_FOREIGN_SHARE
}

function total(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

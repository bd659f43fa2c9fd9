import { request } from 'undici'
import { cpuNs } from './processes.ts'
import type { Stage } from './stage.ts'
import { CONNECTIONS, type Extent } from './slices.ts'
import { median } from './statistics.ts'

/** RPC calls made in a loop within workerd. CPU is in microseconds per call, of the best round. */
export interface CallFigures {
  bare: { rate: number; workerdUs: number }
  kernel: { rate: number; workerdUs: number }
  /** How much longer a kernel call takes than a bare one: the median over the rounds. */
  timeRatio: number
  cpuRatio: number
}

interface Run {
  rate: number
  workerdUs: number
}

/** Calls in one request; a Worker may make so many that the request itself does not count. */
const CALLS = 10_000

/** Compares an operation's generated method, which authorises, parses, runs and strips, with a method that answers the same and does nothing. */
export async function measureCalls(stage: Stage, { rounds }: Pick<Extent, 'rounds'>): Promise<CallFigures> {
  for (const binding of ['BARE', 'KERNEL']) await callInLoop(stage, binding)
  const taken: { bare: Run; kernel: Run }[] = []
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? ['BARE', 'KERNEL'] : ['KERNEL', 'BARE']
    const runs = new Map<string, Run>()
    for (const binding of order) runs.set(binding, await callInLoop(stage, binding))
    const [bare, kernel] = [runs.get('BARE'), runs.get('KERNEL')]
    if (bare && kernel) taken.push({ bare, kernel })
  }
  const of = (name: 'bare' | 'kernel') => ({
    rate: median(taken.map((pair) => pair[name].rate)),
    workerdUs: Math.min(...taken.map((pair) => pair[name].workerdUs)),
  })
  const [bare, kernel] = [of('bare'), of('kernel')]
  return { bare, kernel, timeRatio: median(taken.map((pair) => pair.bare.rate / pair.kernel.rate)), cpuRatio: kernel.workerdUs / bare.workerdUs }
}

async function callInLoop({ loopUrl, pids }: Stage, binding: string): Promise<Run> {
  const [start, before] = [performance.now(), cpuNs(pids.workerd)]
  const { statusCode, body } = await request(`${loopUrl()}/?binding=${binding}&calls=${CALLS}&lanes=${CONNECTIONS}`)
  await body.dump()
  if (statusCode !== 200) throw new Error(`The loop over ${binding} answered ${statusCode}`)
  return { rate: (CALLS * 1000) / (performance.now() - start), workerdUs: (cpuNs(pids.workerd) - before) / 1000 / CALLS }
}

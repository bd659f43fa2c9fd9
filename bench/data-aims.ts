import { atLeast, atMost, type Aim } from './aim.ts'
import type { Results } from './results.ts'

/** What is promised of reads, search, events, changes, jobs and tasks. */
export function dataAimsOf({ reads, search, analytics, changes, jobs }: Partial<Results>): Aim[] {
  return [
    ...(reads
      ? [
          atLeast('point read through RPC ≥ 0.70 of RPC and a bare fetch', reads.getToBare, 0.7),
          atLeast('batch of two ≥ 0.70 of a single read', reads.pairToSingle, 0.7),
        ]
      : []),
    ...(search ? searchAims(search) : []),
    ...(analytics ? [atLeast('events tracked into ClickHouse ≥ 50,000 a second', analytics.storedPerSecond, 50_000)] : []),
    ...(changes ? [atMost('change feed lag < 100 ms p95', { value: changes.lag.p95Ms, limit: 100, shown: milliseconds(changes.lag.p95Ms) })] : []),
    ...(jobs ? jobAims(jobs) : []),
  ]
}

function searchAims({ latency, recallAt10 }: Results['search']): Aim[] {
  const p95 = (mode: keyof typeof latency, limit: number) =>
    atMost(`${mode} search among 100,000 ≤ ${limit} ms p95`, { value: latency[mode].p95Ms, limit, shown: milliseconds(latency[mode].p95Ms) })
  return [p95('fullText', 50), p95('vector', 30), p95('hybrid', 150), atLeast('recall@10 of the vector index ≥ 0.98', recallAt10, 0.98)]
}

function jobAims({ ratioToPeer, start, tasks }: Results['jobs']): Aim[] {
  const added = tasks.idleShareWithTasks - tasks.idleShare
  return [
    atLeast('jobs enqueued and done ≥ 2 × pg-boss', ratioToPeer, 2),
    atMost('start of a job < 30 ms p50', { value: start.p50Ms, limit: 30, shown: milliseconds(start.p50Ms) }),
    atMost(`${thousands(tasks.waiting)} tasks add < 1 % of a core while they wait`, { value: added, limit: 0.01, shown: `${(added * 100).toFixed(2)} %` }),
    atMost(`lag of ${thousands(tasks.due)} tasks due at once < 1 s p95`, { value: tasks.lag.p95Ms, limit: 1_000, shown: milliseconds(tasks.lag.p95Ms) }),
  ]
}

function thousands(count: number): string {
  return count.toLocaleString('en')
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`
}

import { aimsOf } from './aims.ts'
import type { Results } from './results.ts'

/** A run as text for people. Parts that were not measured are left out. */
export function tableOf(results: Partial<Results>): string {
  const { load, calls, open, boot, memory, machine, credentials, jobs } = results
  return [
    ...(load ? [`Closed load, 16 connections${machine?.isPinned ? ', workerd on a core of its own' : ''}`, grid(LOAD_HEADER, load.map(loadRow)), ''] : []),
    ...(calls ? ['RPC within workerd, 16 at a time', grid(['', 'calls/s', 'CPU µs'], callRows(calls)), ''] : []),
    ...(open ? ['Open load', grid(['', 'due/s', 'answered/s', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms'], open.map(openRow)), ''] : []),
    ...(boot ? [`Boot: first ${seconds(boot.firstMs)}, warm ${seconds(boot.warmMs)}`] : []),
    ...(memory
      ? [`Memory after load: workerd ${megabytes(memory.workerdBytes)}, database ${megabytes(memory.databaseBytes)}, host ${megabytes(memory.hostBytes)}`]
      : []),
    ...(credentials
      ? [
          `Credentials: key looked up ${credentials.keyLookup.p50Ms.toFixed(1)} ms p50, ${credentials.keyLookup.p95Ms.toFixed(1)} ms p95; token ${credentials.tokenHitUs.toFixed(2)} µs known, ${credentials.tokenMissUs.toFixed(0)} µs new`,
        ]
      : []),
    ...(jobs
      ? [
          `Jobs: ${jobs.ownPerSecond.toFixed(0)} a second enqueued and done, pg-boss ${jobs.peerPerSecond.toFixed(0)}; started after ${jobs.start.p50Ms.toFixed(0)} ms p50, ${jobs.start.p95Ms.toFixed(0)} ms p95`,
          `Tasks: idle CPU ${percent(jobs.tasks.idleShare)} without, ${percent(jobs.tasks.idleShareWithTasks)} with ${jobs.tasks.waiting}; lag ${jobs.tasks.lag.p50Ms.toFixed(0)} ms p50, ${jobs.tasks.lag.p95Ms.toFixed(0)} ms p95`,
        ]
      : []),
    '',
    grid(
      ['aim', 'measured', ''],
      aimsOf(results).map(({ text, measured, isMet }) => [text, measured, isMet ? 'met' : 'NOT MET']),
    ),
  ].join('\n')
}

const LOAD_HEADER = ['', 'req/s', '/hello', '/hop', 'CPU µs', 'CPU/hop', 'database µs', 'host µs', 'p50 ms', 'p95 ms', 'p99 ms', 'clean']

function loadRow({ name, rate, ratioToHello, ratioToHop, workerdUs, cpuRatioToHop, databaseUs, hostUs, latency, clean }: Results['load'][number]): string[] {
  const times = [latency.p50Ms, latency.p95Ms, latency.p99Ms].map((value) => value.toFixed(1))
  const ratios = [ratioToHello, ratioToHop].map((value) => value.toFixed(2))
  return [name, rate.toFixed(0), ...ratios, workerdUs.toFixed(0), cpuRatioToHop.toFixed(2), databaseUs.toFixed(0), hostUs.toFixed(0), ...times, clean]
}

function callRows({ bare, kernel, timeRatio, cpuRatio }: Results['calls']): string[][] {
  return [
    ['bare method', bare.rate.toFixed(0), bare.workerdUs.toFixed(1)],
    ['kernel operation', kernel.rate.toFixed(0), kernel.workerdUs.toFixed(1)],
    ['time and CPU over bare', `${timeRatio.toFixed(2)} ×`, `${cpuRatio.toFixed(2)} ×`],
  ]
}

function openRow({ name, perSecond, achievedPerSecond, latency }: Results['open'][number]): string[] {
  return [
    name,
    String(perSecond),
    achievedPerSecond.toFixed(0),
    ...[latency.p50Ms, latency.p95Ms, latency.p99Ms, latency.maxMs].map((value) => value.toFixed(1)),
  ]
}

/** Rows in columns; the first to the left, numbers to the right. */
function grid(header: string[], rows: string[][]): string {
  const lines = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) => `  ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`)
    .join('\n')
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(2)} s`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

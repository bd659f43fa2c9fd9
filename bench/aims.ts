import { atLeast, atMost, type Aim } from './aim.ts'
import { dataAimsOf } from './data-aims.ts'
import { gatewayAimsOf } from './gateway-aims.ts'
import type { Results } from './results.ts'

const BOOT_MS = 5_000
const MEMORY_BYTES = 1.2e9

/** Every aim there is a figure for. */
export function aimsOf(results: Partial<Results>): Aim[] {
  const { load, calls, open, boot, memory, publishing, bundles } = results
  const figure = (name: string) => load?.find((figures) => figures.name === name)
  const read = figure('thing read')
  return [
    ...gatewayAimsOf(results),
    ...(calls ? [atMost('kernel RPC ≤ 1.25 × a bare RPC call', { value: calls.timeRatio, limit: 1.25, shown: calls.timeRatio.toFixed(2) })] : []),
    ...(read ? [atLeast('authenticated thing read ≥ 0.10 of hello', read.ratioToHello, 0.1)] : []),
    ...(open ?? [])
      .filter(({ name }) => name !== 'hello')
      .map(({ name, latency }) => atMost(`${name}: p95 at 1,000 req/s < 10 ms`, { value: latency.p95Ms, limit: 10, shown: `${latency.p95Ms.toFixed(1)} ms` })),
    ...(boot ? [atMost('warm boot to ready < 5 s', { value: boot.warmMs, limit: BOOT_MS, shown: `${(boot.warmMs / 1000).toFixed(2)} s` })] : []),
    ...(memory
      ? [
          atMost('Workers and database after load < 1.2 GB', {
            value: memory.workerdBytes + memory.databaseBytes,
            limit: MEMORY_BYTES,
            shown: `${((memory.workerdBytes + memory.databaseBytes) / 1e6).toFixed(0)} MB`,
          }),
        ]
      : []),
    ...(publishing ? publishingAims(publishing) : []),
    ...dataAimsOf(results),
    ...(bundles ?? []).map(({ service, sizeGzBytes, ceilingGzBytes = 0 }) =>
      atMost(`${service} bundle ≤ ${ceilingGzBytes / 1000} KB gz`, {
        value: sizeGzBytes,
        limit: ceilingGzBytes,
        shown: `${(sizeGzBytes / 1000).toFixed(1)} KB`,
      }),
    ),
  ]
}

function publishingAims({ dispatch, static: bound, cold, rollbackVisibleMs, deployMs, residentBytes, idleBytes }: Results['publishing']): Aim[] {
  const added = dispatch.p50Ms - bound.p50Ms
  const milliseconds = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`
  const megabytes = (value: number) => `${(value / 1e6).toFixed(0)} MB`
  return [
    atMost('dispatch adds < 1 ms at the median over a service binding', { value: added, limit: 1, shown: milliseconds(added) }),
    atMost('cold load of a published Worker < 15 ms p95', { value: cold.p95Ms, limit: 15, shown: milliseconds(cold.p95Ms) }),
    atMost('rollback visible < 1 s', { value: rollbackVisibleMs, limit: 1_000, shown: milliseconds(rollbackVisibleMs) }),
    atMost('deployment of 100 KB < 500 ms', { value: deployMs, limit: 500, shown: milliseconds(deployMs) }),
    atMost('500 tenants resident < 1.5 GB', { value: residentBytes, limit: 1.5e9, shown: megabytes(residentBytes) }),
    atMost('and < 500 MB once idle', { value: idleBytes, limit: 5e8, shown: megabytes(idleBytes) }),
  ]
}

import { atLeast, atMost, type Aim } from './aim.ts'
import type { Results } from './results.ts'

/** What is promised of the gateway: what it costs beside a bare hop and beside another's gateway, and how fast it finds out who asks. */
export function gatewayAimsOf({ load, open, credentials, peerCounts }: Partial<Results>): Aim[] {
  const figure = (name: string) => load?.find((figures) => figures.name === name)
  const [exact, fastify] = [figure('gateway no-op'), figure('fastify')]
  const light = ['gateway no-op leased', 'gateway no-op jwt'].flatMap((name) => figure(name) ?? [])
  return [
    ...(exact ? [atLeast('gateway no-op ≥ 0.45 of a bare hop', exact.ratioToHop, 0.45)] : []),
    ...light.map(({ name, cpuRatioToHop }) => atMost(`${name}: CPU ≤ 1.3 × a bare hop`, { value: cpuRatioToHop, limit: 1.3, shown: cpuRatioToHop.toFixed(2) })),
    ...light.flatMap(({ name, workerdUs }) =>
      fastify
        ? [
            atMost(`${name}: CPU ≤ fastify's, counting in ${peerCounts}`, {
              value: workerdUs,
              limit: fastify.workerdUs,
              shown: beside(workerdUs, fastify.workerdUs),
            }),
          ]
        : [],
    ),
    ...openAims(open),
    ...(credentials ? credentialAims(credentials) : []),
  ]
}

function openAims(open: Results['open'] | undefined): Aim[] {
  const p95 = (name: string) => open?.find((figures) => figures.name === name)?.latency.p95Ms
  const [ours, bare] = [p95('gateway no-op leased'), p95('hello')]
  if (ours === undefined || bare === undefined) return []
  const shown = `${ours.toFixed(1)} of ${bare.toFixed(1)} ms`
  return [atMost('gateway no-op leased: p95 at 1,000 req/s ≤ 3 × bare workerd’s', { value: ours / bare, limit: 3, shown })]
}

function credentialAims({ keyLookup, tokenHitUs }: Results['credentials']): Aim[] {
  return [
    atMost('key looked up in auth < 5 ms p95', { value: keyLookup.p95Ms, limit: 5, shown: `${keyLookup.p95Ms.toFixed(1)} ms` }),
    atMost('access token known to the isolate ≤ 5 µs', { value: tokenHitUs, limit: 5, shown: `${tokenHitUs.toFixed(2)} µs` }),
  ]
}

function beside(value: number, other: number): string {
  return `${value.toFixed(0)} of ${other.toFixed(0)} µs`
}

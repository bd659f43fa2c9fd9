import { join } from 'node:path'
import { bundle } from '@dot-do/worker-local/host/bundle'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bootPlatform, type BootedPlatform } from './platform.ts'
import { ROOT } from './program.ts'

/** What a counter said of one call. */
interface Decision {
  limit: number
  remaining: number
  allowed: boolean
}

/** What `gateway/tests/counting-worker.ts` takes. */
interface Calls {
  charge: { limitClass: string; cost: number }
  payer: { principal: object; address: string }
  calls: number
}

const ISOLATES = ['isolate-a', 'isolate-b', 'isolate-c']

let platform: BootedPlatform

/** Workers with the gateway's own counting, each an isolate, on the gateway's own counters. */
beforeAll(async () => {
  const folder = join(ROOT, 'gateway')
  const config = { name: 'counting', main: 'tests/counting-worker.ts', compatibility_date: '2026-11-01' }
  const service = { name: 'counting', folder, main: join(folder, config.main), configFile: join(folder, 'wrangler.jsonc'), config }
  const { code } = await bundle(service, { minify: false })
  const vars = { LIMIT_PER_MINUTE: '60', EXACT_LIMIT: '1000' }
  const objects = { RateCounters: { service: 'gateway', className: 'RateCounter' } }
  platform = await bootPlatform({ extraWorkers: ISOLATES.map((name) => ({ name, source: code, objects, vars, listens: true })) })
})
afterAll(() => platform.stop())

async function ask<Answer>(isolate: string, asked: Calls | { addresses: number; batch: number }): Promise<Answer> {
  const answer = await request(platform.workerUrls[isolate] ?? '', { method: 'POST', body: JSON.stringify(asked) })
  return (await answer.body.json()) as Answer
}

/** A key of its own limit. */
function payer(id: string, limitPerMinute: number) {
  return { principal: { id, kind: 'key' as const, tenant: 'default', permissions: [], limitPerMinute }, address: '' }
}

async function callsFromAll(calls: number, about: Omit<Calls, 'calls'>): Promise<Decision[]> {
  return (await Promise.all(ISOLATES.map((isolate) => ask<Decision[]>(isolate, { ...about, calls })))).flat()
}

describe('a limit that several isolates draw on', () => {
  it('of up to 1,000 a minute is exact', async () => {
    const answers = await callsFromAll(200, { charge: { limitClass: 'default', cost: 1 }, payer: payer('key_exact', 500) })

    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(500)
    const left = answers.filter(({ allowed }) => allowed).map(({ remaining }) => remaining)
    expect(left.sort((one, other) => one - other)).toEqual(Array.from({ length: 500 }, (_, index) => index))
  })

  it('above is leased, never passed, and not refused before what is lent', async () => {
    const limit = 2_000
    const about = { charge: { limitClass: 'default', cost: 1 }, payer: payer('key_leased', limit) }

    const answers: Decision[] = []
    for (let round = 0; round < 30; round++) answers.push(...(await callsFromAll(40, about)))

    const passed = answers.filter(({ allowed }) => allowed).length
    expect(passed).toBeLessThanOrEqual(limit)
    expect(passed).toBeGreaterThanOrEqual(limit - ISOLATES.length * (limit / 100))
    expect(Math.min(...answers.map(({ remaining }) => remaining))).toBe(0)
  })

  it('is drawn on by what a call costs, and a call that costs more than all of it takes all of it', async () => {
    const cost = { charge: { limitClass: 'default', cost: 7 }, payer: payer('key_dear', 2_000) }

    const answers = await callsFromAll(200, cost)
    const small = await callsFromAll(1, { charge: { limitClass: 'default', cost: 10 }, payer: payer('key_small', 3) })

    const spent = answers.filter(({ allowed }) => allowed).length * 7
    expect(spent).toBeLessThanOrEqual(2_000)
    expect(spent).toBeGreaterThan(2_000 - ISOLATES.length * 20 - 7)
    expect(small.filter(({ allowed }) => allowed)).toHaveLength(1)
  })
})

describe('a flood of strangers', () => {
  it('from 100,000 addresses is counted in bounded memory: those who come when it is full share one limit, by class', async () => {
    const { allowed, again } = await ask<{ allowed: number; again: boolean[] }>('isolate-a', { addresses: 100_000, batch: 500 })

    expect(allowed).toBe(4_000 + 60)
    // Whoever has a counter keeps it; another newcomer finds the shared one used up, that of another class not.
    expect(again).toEqual([true, false, true])
  })
})

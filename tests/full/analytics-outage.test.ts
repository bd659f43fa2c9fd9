import { writeFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startPlatform } from '@dot-do/worker-local/host/platform'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { runDev, stateDirectory, type DevProgram } from './dev-program.ts'
import { openLossyClickHouse, type LossyClickHouse } from './lossy-clickhouse.ts'
import { adminFetch } from './platform.ts'
import { ROOT } from './program.ts'
import { settled, storedOf } from './trackers.ts'
import type { Target } from './writers.ts'

/** The platform with a ClickHouse behind a network of the test's. */
async function startLossy(): Promise<{ target: Target; clickhouse: LossyClickHouse }> {
  const [state, store] = [await stateDirectory(), await stateDirectory()]
  onTestFinished(() => Promise.all([state.remove(), store.remove()]).then(() => {}))
  const clickhouse = await openLossyClickHouse(store.dir)
  onTestFinished(clickhouse.close)
  const { url, user, password } = clickhouse
  const platform = await startPlatform({ root: ROOT, stateDir: state.dir, port: 0, clickhouse: { url, user, password } })
  onTestFinished(platform.stop)
  return { target: { url: platform.url, adminKey: platform.admin?.adminKey ?? '' }, clickhouse }
}

const failed = (service: string, index: number) => ({ type: 'call', service, status: 500, principal: String(index) })

async function track(target: Target, service: string, count = 1): Promise<void> {
  const answer = await adminFetch(target, '/db/events', { events: Array.from({ length: count }, (_, index) => failed(service, index)) })
  expect(answer.status).toBe(200)
}

async function healthOf(target: Target): Promise<unknown> {
  return ((await (await adminFetch(target, '/db/health')).json()) as { data: unknown }).data
}

describe('while ClickHouse', () => {
  it('writes and its answers get lost, each batch is sent again under its token and is there once', async () => {
    const { target, clickhouse } = await startLossy()
    clickhouse.network = 'loses answers'
    await track(target, 'twice.sent', 10)
    await vi.waitFor(() => expect(clickhouse.tokens.length).toBeGreaterThanOrEqual(3), { timeout: 120_000 })

    clickhouse.network = 'up'
    await settled(target)

    const [first, ...repeated] = clickhouse.tokens.slice(0, 3)
    expect(repeated).toEqual([first, first])
    expect(await storedOf(target, { service: 'twice.sent' })).toEqual({ events: 10, different: 10 })
  })

  it('is away, health is degraded and tells how many events wait, and reports say so; then all are there', async () => {
    const { target, clickhouse } = await startLossy()
    clickhouse.network = 'down'
    await track(target, 'waiting', 1_000)

    const report = await adminFetch(target, '/db/analytics/types')

    expect(await healthOf(target)).toMatchObject({
      status: 'degraded',
      checks: { clickhouse: { status: 'degraded', message: expect.stringMatching(/^ClickHouse does not answer; 1\d\d\d events wait$/) } },
    })
    expect(report.status).toBe(503)
    expect(await report.json()).toMatchObject({ error: { code: 'UNAVAILABLE', message: 'ClickHouse does not answer' } })
    clickhouse.network = 'up'
    await settled(target)
    expect(await storedOf(target, { service: 'waiting' })).toEqual({ events: 1_000, different: 1_000 })
    await vi.waitFor(async () => expect(await healthOf(target)).toMatchObject({ status: 'ok' }), { timeout: 15_000 })
  })

  it('is away for long, what cannot be kept is refused, and none that was accepted is lost', async () => {
    const { target, clickhouse } = await startLossy()
    clickhouse.network = 'down'
    const large = Array.from({ length: 60 }, () => ({ type: 'large', data: { text: 'x'.repeat(16_000) } }))
    let accepted = 0
    const lane = async (): Promise<number> => {
      for (;;) {
        const answer = await adminFetch(target, '/db/events', { events: large })
        await answer.body?.cancel()
        if (answer.status !== 200) return answer.status
        accepted += large.length
      }
    }

    const refusals = await Promise.all([lane(), lane(), lane(), lane()])

    expect(refusals).toEqual([503, 503, 503, 503])
    expect(accepted * 16_000).toBeGreaterThan(250_000_000)
    clickhouse.network = 'up'
    await vi.waitFor(() => track(target, 'room.again'), { timeout: 120_000, interval: 500 })
    await settled(target)
    const { data } = (await (await adminFetch(target, '/db/analytics/types')).json()) as { data: { rows: { type: string }[] } }
    expect(data.rows).toContainEqual(expect.objectContaining({ type: 'large', count: accepted }))
  })
})

describe('without a ClickHouse', () => {
  it('events wait for one, health names CLICKHOUSE_URL, and a later start writes them', async () => {
    const state = await stateDirectory()
    onTestFinished(() => state.remove())
    const started = async (): Promise<DevProgram & Target> => {
      const program = runDev(state.dir)
      onTestFinished(() => program.end())
      await program.ready()
      const { url, adminKey } = await program.devFile()
      return { ...program, url, adminKey }
    }
    // Where its directory is to be there is a file, so that the embedded one cannot open.
    await writeFile(join(state.dir, 'analytics'), '')
    const without = await started()
    await track(without, 'patient', 20)

    const report = await adminFetch(without, '/db/analytics/types')
    const health = await healthOf(without)
    await without.end()
    await rm(join(state.dir, 'analytics'))
    const again = await started()
    await settled(again)

    expect(await report.json()).toMatchObject({ error: { code: 'UNAVAILABLE', message: 'There is no ClickHouse: CLICKHOUSE_URL is not set' } })
    expect(health).toMatchObject({
      status: 'degraded',
      checks: { clickhouse: { message: expect.stringMatching(/^There is no ClickHouse: CLICKHOUSE_URL is not set; \d+ events wait$/) } },
    })
    expect(await storedOf(again, { service: 'patient' })).toEqual({ events: 20, different: 20 })
  })
})

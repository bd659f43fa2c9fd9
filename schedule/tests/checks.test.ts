import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { applyAnalyticsSchema } from '@dot-do/worker-data/analytics-schema'
import { eventLine } from '@dot-do/worker-data/event-line'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { insertLines } from '../../db/src/analytics/clickhouse.ts'
import { service as dbService } from '../../db/src/service.ts'
import { binding } from '../../db/tests/in-process.ts'
import { openAnalytics, type OpenedAnalytics } from '../../packages/local/src/analytics/open.ts'
import type { Env } from '../src/env.ts'
import { service } from '../src/service.ts'
import { startSchedule, type ScheduleInProcess } from './in-process.ts'

let running: ScheduleInProcess
let dir: string
let opened: OpenedAnalytics
/** What the gateway answers; nothing while it is undefined. */
let gateway: { status: number; body: string } | undefined
const server = createServer((_request, answer) => (gateway ? answer.writeHead(gateway.status).end(gateway.body) : answer.destroy()))

beforeAll(async () => {
  running = await startSchedule()
  dir = await mkdtemp(join(tmpdir(), 'dot-do-checks-'))
  opened = await openAnalytics({ dir, password: 'p' })
  await applyAnalyticsSchema(opened.owner, resolve(import.meta.dirname, '../../db/analytics'))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
})
beforeEach(() => running.db.database.reset())
afterEach(() => (gateway = undefined))
afterAll(async () => {
  server.close()
  await opened.close()
  await running.db.close()
  await rm(dir, { recursive: true })
})

const analytics = () => ({ CLICKHOUSE_URL: opened.url, CLICKHOUSE_USER: opened.user, CLICKHOUSE_PASSWORD: opened.password })

function bound() {
  const { port } = server.address() as AddressInfo // a server that listens on a port has an address
  const DB_SERVICE = binding(dbService, { ...running.db.env, ...analytics() }, { principal: { id: 'schedule', permissions: ['db:execute', 'refusals:read'] } })
  const env = { ...running.env, PLATFORM_URL: `http://127.0.0.1:${port}`, DB_SERVICE } as unknown as Env // schedule calls nothing but its operations
  return binding(service, env, { principal: { id: 'queue', permissions: ['schedule:maintain', 'tasks:read'] } })
}

const alertsOf = async (open = true) => (await bound().listAlerts({ open })).items.map(({ kind, subject, message }) => ({ kind, subject, message }))

function health(checks: Record<string, { status: string; message?: string }>, status = 'ok') {
  const told = Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, { latencyMs: 1, ...check }]))
  return JSON.stringify({ success: true, data: { status, service: 'gateway', version: '1', checks: told } })
}

describe('the check of the services', () => {
  it('tells how every service is that the gateway knows, and has no alert for those that answer', async () => {
    gateway = { status: 200, body: health({ auth: { status: 'degraded', message: 'no WORKOS_API_KEY' }, db: { status: 'ok' } }) }

    const { services } = await bound().checkServices({})

    expect(services).toEqual([
      { service: 'gateway', status: 'ok' },
      { service: 'auth', status: 'degraded', message: 'no WORKOS_API_KEY' },
      { service: 'db', status: 'ok' },
    ])
    expect(await alertsOf()).toEqual([])
  })

  it('opens an alert for a service that does not work, and closes it when that does again', async () => {
    gateway = { status: 503, body: health({ db: { status: 'error', message: 'postgres: failed' }, auth: { status: 'error' } }, 'error') }
    await bound().checkServices({})
    const during = await alertsOf()
    gateway = { status: 200, body: health({ db: { status: 'degraded' }, auth: { status: 'ok' } }) }

    await bound().checkServices({})

    expect(during).toHaveLength(2)
    expect(during).toEqual(
      expect.arrayContaining([
        { kind: 'service-unhealthy', subject: 'db', message: 'db: postgres: failed' },
        { kind: 'service-unhealthy', subject: 'auth', message: 'auth: failing' },
      ]),
    )
    expect(await alertsOf()).toEqual([])
    expect(await alertsOf(false)).toHaveLength(2)
  })

  it.each([
    ['does not answer', undefined],
    ['answers something else', { status: 200, body: '<html>' }],
    ['answers without its services', { status: 502, body: '{"success":false}' }],
  ])('opens an alert for a gateway that %s, and believes nothing else', async (_what, answer) => {
    gateway = { status: 503, body: health({ db: { status: 'error', message: 'down' } }, 'error') }
    await bound().checkServices({})
    gateway = answer

    const { services } = await bound().checkServices({})

    expect(services).toMatchObject([{ service: 'gateway', status: 'error', message: expect.any(String) }])
    expect((await alertsOf()).map(({ subject }) => subject).sort()).toEqual(['db', 'gateway'])
  })
})

describe('the check of rate limits', () => {
  const MINUTE_MS = 60_000
  let written = 0

  async function refused(principal: string, count: number, about: { ago?: number; ns?: string; status?: number; type?: string } = {}): Promise<void> {
    const { ago = MINUTE_MS, ns = 'acme', status = 429, type = 'request' } = about
    const row = { type, at: Date.now() - ago, ns, principal, status }
    const lines = Array.from({ length: count }, (_, index) => new TextEncoder().encode(eventLine(`evt_${written}`, index, row)))
    await insertLines('events', { lines, token: `refusals-${written++}` }, analytics() as never)
  }

  it('names who was refused often within the hour, and whoever else was not', async () => {
    await refused('key_often', 60)
    await refused('key_often', 60, { ns: 'other' })
    await refused('key_seldom', 99)
    await refused('key_before', 500, { ago: 61 * MINUTE_MS })
    await refused('key_wrong', 500, { status: 404 })
    await refused('key_within', 500, { type: 'call' })

    const { principals } = await bound().checkRateLimits({})

    expect(principals).toEqual([{ principal: 'key_often', refused: 120 }])
    expect(await alertsOf()).toEqual([{ kind: 'rate-limited', subject: 'key_often', message: 'key_often was refused 120 times within an hour' }])
  })

  it('closes the alert of who is refused no longer so often', async () => {
    await refused('key_then', 150)
    await bound().checkRateLimits({})
    const during = await alertsOf()

    await bound().checkRateLimits({ refusals: 100_000 })

    expect(during.map(({ subject }) => subject)).toContain('key_then')
    expect(await alertsOf()).toEqual([])
    expect((await alertsOf(false)).map(({ subject }) => subject)).toContain('key_then')
  })

  it('is nobody’s who may not read refusals', async () => {
    const DB_SERVICE = binding(dbService, { ...running.db.env, ...analytics() }, { principal: { id: 'schedule', permissions: ['db:execute', 'events:read'] } })

    await expect(DB_SERVICE.listRefusals({ from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', refusals: 1 })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { applyAnalyticsSchema } from '@dot-do/worker-data/analytics-schema'
import { eventLine, type EventRow } from '@dot-do/worker-data/event-line'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openAnalytics, type OpenedAnalytics } from '../../packages/local/src/analytics/open.ts'
import { insertLines, reachClickHouse, selectRows } from '../src/analytics/clickhouse.ts'
import { reportQuery, reportRow, type Extent, type ReportName } from '../src/analytics/reports.ts'
import type { Env } from '../src/env.ts'

let dir: string
let opened: OpenedAnalytics
let env: Env
/** Another namespace for each test, so that none sees what others wrote. */
let ns = 'n0'
let count = 0

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dot-do-reports-'))
  opened = await openAnalytics({ dir, password: 'p' })
  await applyAnalyticsSchema(opened.owner, resolve(import.meta.dirname, '../analytics'))
  env = { CLICKHOUSE_URL: opened.url, CLICKHOUSE_USER: opened.user, CLICKHOUSE_PASSWORD: opened.password } as Env // nothing else is asked for
})
beforeEach(() => {
  count += 1
  ns = `n${count}`
})
afterAll(async () => {
  await opened.close()
  await rm(dir, { recursive: true })
})

const MIDNIGHT = Date.parse('2026-11-21T00:00:00Z')
const MINUTE_MS = 60_000

const requested = (about: Partial<EventRow> = {}): EventRow => ({
  ns,
  type: 'request',
  at: MIDNIGHT,
  principal: 'key_1',
  service: 'db',
  operation: 'get',
  status: 200,
  duration_ms: 1,
  ...about,
})

async function write(rows: EventRow[], token = ns): Promise<void> {
  const lines = rows.map((row, index) => new TextEncoder().encode(eventLine(`evt_${ns}`, index, row)))
  await insertLines('events', { lines, token }, env)
}

async function ask(name: ReportName, about: Partial<Extent> = {}) {
  const extent = { ns, from: '2026-11-21T00:00:00Z', to: '2026-11-22T00:00:00Z', interval: 'hour', limit: 100, ...about } as const
  const { sql, parameters } = reportQuery(name, extent)
  const rows = await selectRows(sql, parameters, env)
  return rows.map(reportRow)
}

describe('what is written to ClickHouse', () => {
  it('comes back as it was', async () => {
    const said = {
      service: 'shop',
      operation: 'buy',
      via: 'mcp',
      status: 999,
      duration_ms: 12.5,
      request_id: 'r\\"\n\t',
      data: '{"a":"\\u0000 \\\\ ü 😀"}',
    }

    await write([{ ns, type: 'sale', at: MIDNIGHT + 123, principal: "o'neil", ...said }])

    const [row] = await selectRows('select * from events where ns = {ns:String}', { ns }, env)
    expect(row).toEqual({ ns, type: 'sale', principal: "o'neil", ...said, id: `evt_${ns}_0`, at: '2026-11-21 00:00:00.123' })
  })

  it('takes the columns’ defaults where nothing is said, from the year 1900 to 2298', async () => {
    await write([
      { ns, type: 'a', at: Date.UTC(1900), principal: '' },
      { ns, type: 'a', at: Date.UTC(2299) - 1, principal: '' },
    ])

    const rows = await selectRows(
      'select toString(at) as at, service, status, duration_ms, data from events where ns = {ns:String} order by events.at',
      { ns },
      env,
    )
    const absent = { service: '', status: 0, duration_ms: null, data: '' }
    expect(rows).toEqual([
      { at: '1900-01-01 00:00:00.000', ...absent },
      { at: '2298-12-31 23:59:59.999', ...absent },
    ])
  })

  it('is there once, however often it is sent under its token, and a second time under another, though it is the same', async () => {
    const rows = [requested(), requested()]
    for (let round = 0; round < 3; round++) await write(rows, `${ns}-token`)
    expect(await ask('types')).toMatchObject([{ count: 2 }])

    await write(rows, `${ns}-other`)

    expect(await ask('types')).toMatchObject([{ count: 4 }])
  })

  it('is refused from whoever does not know the password, and the tables are out of reach', async () => {
    const stranger = { ...env, CLICKHOUSE_PASSWORD: 'wrong' }

    await expect(reachClickHouse(stranger)).rejects.toMatchObject({ code: 'UPSTREAM', message: 'ClickHouse refuses with its code 516' })
    await expect(selectRows('drop table events', {}, env)).rejects.toMatchObject({ code: 'UPSTREAM' })
  })
})

describe('the report', () => {
  it('requests counts what came from outside, by operation, the most first', async () => {
    await write([requested(), requested({ status: 404 }), requested({ operation: 'list' }), requested({ type: 'call' }), requested({ type: 'signup' })])

    expect(await ask('requests')).toEqual([
      { service: 'db', operation: 'get', requests: 2, errors: 1 },
      { service: 'db', operation: 'list', requests: 1, errors: 0 },
    ])
  })

  it('errors counts failures and whom they met', async () => {
    await write([
      requested({ status: 500, at: MIDNIGHT + 5 }),
      requested({ status: 500, principal: 'key_2' }),
      requested({ status: 500 }),
      requested({ status: 399 }),
      requested({ status: 400, type: 'call' }),
      requested({ status: 500, type: 'signup' }),
    ])

    expect(await ask('errors')).toEqual([
      { type: 'request', service: 'db', operation: 'get', status: 500, errors: 3, principals: 2, last: '2026-11-21T00:00:00.005Z' },
      { type: 'call', service: 'db', operation: 'get', status: 400, errors: 1, principals: 1, last: '2026-11-21T00:00:00.000Z' },
    ])
  })

  it('latency gives percentiles, of what has a duration', async () => {
    await write([...Array.from({ length: 101 }, (_, index) => requested({ duration_ms: index })), requested({ duration_ms: undefined })])

    expect(await ask('latency')).toEqual([{ type: 'request', service: 'db', operation: 'get', count: 101, p50: 50, p90: 90, p95: 95, p99: 99 }])
  })

  it.each([
    ['minute', ['2026-11-21T01:01:00.000Z', '2026-11-21T01:00:00.000Z']],
    ['hour', ['2026-11-21T01:00:00.000Z']],
    ['day', ['2026-11-21T00:00:00.000Z']],
  ] as const)('activity counts by the %s, the last first', async (interval, times) => {
    await write([60, 60.5, 61, 61.9].map((minutes) => requested({ at: MIDNIGHT + minutes * MINUTE_MS })))

    expect(await ask('activity', { interval })).toEqual(times.map((time) => ({ time, type: 'request', count: 4 / times.length })))
  })

  it('types tells since when and until when there are some', async () => {
    await write([requested({ at: MIDNIGHT + 1 }), requested({ at: MIDNIGHT + 3 }), requested({ type: 'signup', at: MIDNIGHT + 2 })])

    expect(await ask('types')).toEqual([
      { type: 'request', count: 2, first: '2026-11-21T00:00:00.001Z', last: '2026-11-21T00:00:00.003Z' },
      { type: 'signup', count: 1, first: '2026-11-21T00:00:00.002Z', last: '2026-11-21T00:00:00.002Z' },
    ])
  })

  it('keys tells who asks most', async () => {
    await write([requested(), requested({ principal: 'key_2' }), requested({ principal: 'key_2', status: 429, at: MIDNIGHT + 7 })])

    expect(await ask('keys')).toEqual([
      { principal: 'key_2', requests: 2, errors: 1, last: '2026-11-21T00:00:00.007Z' },
      { principal: 'key_1', requests: 1, errors: 0, last: '2026-11-21T00:00:00.000Z' },
    ])
    expect(await ask('keys', { limit: 1 })).toHaveLength(1)
  })

  it.each(['requests', 'errors', 'latency', 'activity', 'types', 'keys'] as const)(
    '%s is about its namespace, its time and its service, and counts as numbers',
    async (name) => {
      const failed = { status: 500 }
      await write([
        requested(failed),
        requested({ ...failed, ns: 'rival' }),
        requested({ ...failed, service: "d'b\\" }),
        requested({ ...failed, at: MIDNIGHT - 1 }),
        requested({ ...failed, at: MIDNIGHT + 24 * 60 * MINUTE_MS }),
      ])
      const counted = (rows: Awaited<ReturnType<typeof ask>>) => rows.map((row) => row['count'] ?? row['requests'] ?? row['errors'])

      expect(counted(await ask(name, { service: 'db' }))).toEqual([1])
      expect(counted(await ask(name, { service: "d'b\\" }))).toEqual([1])
      expect(await ask(name, { service: "' or 1=1 --" })).toEqual([])
      expect(await ask(name, { ns: 'nobody' })).toEqual([])
    },
  )
})

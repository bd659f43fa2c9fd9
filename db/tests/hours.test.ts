import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { applyAnalyticsSchema } from '@dot-do/worker-data/analytics-schema'
import { eventLine, type EventRow } from '@dot-do/worker-data/event-line'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openAnalytics, type OpenedAnalytics } from '../../packages/local/src/analytics/open.ts'
import { insertLines, selectRows } from '../src/analytics/clickhouse.ts'
import { dividedByHours, sumUpHours } from '../src/analytics/hours.ts'
import { reportQuery, reportRow, type Extent, type ReportName } from '../src/analytics/reports.ts'
import { divide, HOUR_MS } from '../src/analytics/stretches.ts'
import type { Env } from '../src/env.ts'

const HOUR = HOUR_MS
const DAY = 24 * HOUR

let dir: string
let opened: OpenedAnalytics
let env: Env
/** Hours are summed up for every namespace at once, so each test has a month of its own. */
let month = 0
let start = 0
let written = 0

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'dot-do-hours-'))
  opened = await openAnalytics({ dir, password: 'p' })
  await applyAnalyticsSchema(opened.owner, resolve(import.meta.dirname, '../analytics'))
  env = { CLICKHOUSE_URL: opened.url, CLICKHOUSE_USER: opened.user, CLICKHOUSE_PASSWORD: opened.password } as Env // nothing else is asked for
})
beforeEach(() => {
  start = Date.UTC(2020, month++)
})
afterAll(async () => {
  await opened.close()
  await rm(dir, { recursive: true })
})

async function write(rows: Partial<EventRow>[]): Promise<void> {
  written += 1
  const whole = rows.map((row): EventRow => ({
    ns: 'acme',
    type: 'request',
    at: start,
    principal: 'key_1',
    service: 'db',
    operation: 'get',
    status: 200,
    ...row,
  }))
  const lines = whole.map((row, index) => new TextEncoder().encode(eventLine(`evt_${written}`, index, row)))
  await insertLines('events', { lines, token: `write-${written}` }, env)
}

/** Some hundred events of all kinds over five days, at odd times. */
const fiveDays = (): Partial<EventRow>[] =>
  Array.from({ length: 600 }, (_, index) => ({
    at: start + ((index * 7_919_993) % (5 * DAY)),
    type: ['request', 'call', 'signup'][index % 3] ?? '',
    ns: index % 7 === 0 ? 'rival' : 'acme',
    service: index % 2 === 0 ? 'db' : "d'b",
    operation: `operation${index % 5}`,
    principal: `key_${index % 11}`,
    status: [200, 404, 500][index % 4] ?? 201,
    duration_ms: index,
  }))

const extentOf = (from: number, to: number): Extent => ({
  ns: 'acme',
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
  interval: 'hour',
  limit: 1_000,
})

async function report(name: ReportName, extent: Extent, isDivided: boolean) {
  const divided = isDivided ? await dividedByHours([Date.parse(extent.from), Date.parse(extent.to)], env) : undefined
  const { sql, parameters } = reportQuery(name, extent, divided)
  return (await selectRows(sql, parameters, env)).map(reportRow)
}

const NAMES = ['requests', 'errors', 'activity', 'types', 'keys'] as const

describe('reports that read sums', () => {
  it('answer what they would of the events themselves, wherever their time begins and ends', async () => {
    await write(fiveDays())
    await sumUpHours(80, start + 4 * DAY + 1_000_000, env)
    const extents = [extentOf(start, start + 5 * DAY), extentOf(start + 1_234_567, start + 4 * DAY + 7_654_321), extentOf(start - 90 * DAY, start + 3 * DAY)]

    for (const extent of extents)
      for (const name of NAMES)
        for (const about of [{}, { service: "d'b" }, { interval: 'day' as const }, { limit: 3 }]) {
          const events = await report(name, { ...extent, ...about }, false)
          expect(events.length).toBeGreaterThan(0)
          expect([name, await report(name, { ...extent, ...about }, true)]).toEqual([name, events])
        }
  })

  it('do not read the events of hours that are summed up', async () => {
    await write(fiveDays())
    await sumUpHours(120, start + 5 * DAY, env)
    const extent = extentOf(start, start + 5 * DAY)
    const before = await report('types', extent, true)

    await write([{ type: 'late', at: start + HOUR }])

    expect(await report('types', extent, true)).toEqual(before)
  })

  it('read an hour from its events when its sums were not finished', async () => {
    await write([{ at: start + HOUR }, { at: start + HOUR + 1 }])
    const hour = new Date(start + HOUR).toISOString().slice(0, 19).replace('T', ' ')
    const half = { hour, ns: 'acme', type: 'request', service: 'db', operation: 'get', principal: 'key_1', status: 200, events: 1, first: hour, last: hour }
    await insertLines('event_hours', { lines: [new TextEncoder().encode(JSON.stringify({ ...half, summed_at: hour }))], token: 'half' }, env)
    await sumUpHours(2, start + 5 * HOUR, env)

    expect(await report('types', extentOf(start, start + 5 * DAY), true)).toMatchObject([{ type: 'request', count: 2 }])
  })
})

describe('summing up', () => {
  it('takes the whole hours before now, and none twice', async () => {
    await write([{ at: start }, { at: start + 1 }, { at: start + HOUR, status: 500 }, { at: start + 2 * HOUR }])
    const now = start + 2 * HOUR + 1

    const first = await sumUpHours(2, now, env)
    const again = await sumUpHours(2, now, env)

    expect(first).toEqual({ hours: 2, rows: 2 })
    expect(again).toEqual({ hours: 0, rows: 0 })
  })

  it('takes an hour again when late events came, and counts them once', async () => {
    await write([{ at: start }, { at: start + HOUR }])
    await sumUpHours(48, start + 2 * DAY, env)
    await write([{ at: start + 5 }, { at: start + 6, status: 500 }])

    const again = await sumUpHours(48, start + 2 * DAY, env)

    expect(again).toEqual({ hours: 1, rows: 2 })
    expect(await report('requests', extentOf(start, start + 3 * DAY), true)).toEqual([{ service: 'db', operation: 'get', requests: 4, errors: 1 }])
  })

  it('takes hours without events too, so that reports need not look there', async () => {
    await write([{ at: start + 60 * HOUR }])

    await sumUpHours(72, start + 3 * DAY, env)

    const divided = await dividedByHours([start, start + 3 * DAY], env)
    expect(divided).toEqual({ summed: [[start, start + 3 * DAY]], open: [] })
  })
})

describe('a time and the hours that are summed up', () => {
  it.each([
    ['none', [0, 10 * HOUR], [], { summed: [], open: [[0, 10 * HOUR]] }],
    ['all', [0, 2 * HOUR], [0, 1], { summed: [[0, 2 * HOUR]], open: [] }],
    [
      'only whole ones',
      [1, 3 * HOUR - 1],
      [0, 1, 2],
      {
        summed: [[HOUR, 2 * HOUR]],
        open: [
          [1, HOUR],
          [2 * HOUR, 3 * HOUR - 1],
        ],
      },
    ],
    [
      'two stretches',
      [0, 9 * HOUR],
      [1, 2, 5],
      {
        summed: [
          [HOUR, 3 * HOUR],
          [5 * HOUR, 6 * HOUR],
        ],
        open: [
          [0, HOUR],
          [3 * HOUR, 5 * HOUR],
          [6 * HOUR, 9 * HOUR],
        ],
      },
    ],
    ['others', [0, HOUR], [7, 8], { summed: [], open: [[0, HOUR]] }],
  ] as const)('leave nothing out and nothing twice where these are %s', (_which, [from, to], hours, expected) => {
    expect(divide([from, to], hours)).toEqual(expected)
  })
})

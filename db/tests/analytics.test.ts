import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { insertLines, selectRows } from '../src/analytics/clickhouse.ts'
import { piecesOf, type Event } from '../src/analytics/pieces.ts'
import type { Env } from '../src/env.ts'
import { service } from '../src/service.ts'
import { binding, startDb, type DbInProcess } from './in-process.ts'

const AT = Date.parse('2026-11-21T09:30:00.123Z')

function rowsOf(events: Event[]) {
  const pieces = piecesOf(events, { batch: 'evt_1', ns: 'acme', principal: 'key_1', at: AT })
  const lines = pieces.map((piece) => new TextDecoder().decode(piece.lines)).join('')
  return {
    pieces,
    rows: lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

describe('events as they are spooled', () => {
  it('say what the call says where they do not say it themselves', () => {
    const said = { service: 'shop', operation: 'buy', principal: 'ann', status: 201, durationMs: 12.5, requestId: 'r', data: { items: [1, 'zwei'] } }

    const { rows } = rowsOf([{ type: 'signup' }, { type: 'sale', at: '2025-01-02T03:04:05.678901Z', ...said }])

    expect(rows).toEqual([
      { id: 'evt_1_0', type: 'signup', at: AT, ns: 'acme', principal: 'key_1' },
      {
        id: 'evt_1_1',
        type: 'sale',
        at: Date.parse('2025-01-02T03:04:05.678Z'),
        ns: 'acme',
        service: 'shop',
        operation: 'buy',
        principal: 'ann',
        status: 201,
        duration_ms: 12.5,
        request_id: 'r',
        data: '{"items":[1,"zwei"]}',
      },
    ])
  })

  it('lie in pieces that a Durable Object can keep, none of them left out', () => {
    const { pieces, rows } = rowsOf(Array.from({ length: 1_000 }, () => ({ type: 'a', data: { text: '\u{1F600}'.repeat(4_000) } })))

    expect(Math.max(...pieces.map(({ lines }) => lines.byteLength))).toBeLessThan(2_000_000)
    expect(pieces.reduce((total, { events }) => total + events, 0)).toBe(1_000)
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 1_000 }, (_, index) => `evt_1_${index}`))
  })
})

describe('track', () => {
  let running: DbInProcess

  beforeAll(async () => {
    running = await startDb(['db'])
  })
  afterAll(() => running.close())

  const bound = (...permissions: string[]) => binding(service, running.env, { principal: { id: 'shop', permissions, tenant: 'acme' } })
  const good = Array.from({ length: 3 }, () => ({ type: 'ok' }))

  it.each([
    ['a time that is none', { type: 'a', at: 'yesterday' }, 'events.3.at'],
    ['a time that cannot be kept', { type: 'a', at: '0001-01-01T00:00:00Z' }, 'events.3.at'],
    ['too much data', { type: 'a', data: { text: 'x'.repeat(16_384) } }, 'events.3.data'],
    ['data with U+0000', { type: 'a', data: { text: '\u0000' } }, 'events.3.data'],
    ['no type', {}, 'events.3.type'],
    ['a type that is no name', { type: 'drop table' }, 'events.3.type'],
    ['a namespace of its own', { type: 'a', ns: 'rival' }, 'events.3.ns'],
    ['a duration that is none', { type: 'a', durationMs: -1 }, 'events.3.durationMs'],
  ])('names where an event has %s, and keeps none of the batch', async (_what, event, path) => {
    const refused = bound('events:write').track({ events: [...good, event as { type: string }] })

    await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: [{ path }] })
  })

  it.each([
    ['none', []],
    ['1001', Array.from({ length: 1_001 }, () => ({ type: 'a' }))],
  ])('refuses %s events', async (_count, events) => {
    await expect(bound('events:write').track({ events })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'events' }] })
  })

  it('refuses another’s namespace as if it were not there', async () => {
    await expect(bound('events:write').track({ ns: 'rival', events: good })).rejects.toMatchObject({ code: 'NOT_FOUND', details: [{ path: 'ns' }] })
  })

  it('takes ready lines from nobody who may merely track', async () => {
    await expect(bound('events:write', 'events:read').trackLines({ lines: '{}\n', events: 1 })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('and analyze are no substitute for each other’s permission', async () => {
    await expect(bound('events:write').analyze({ report: 'types' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(bound('events:read').track({ events: good })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

/** An HTTP server that answers everything so, and remembers what it was asked. */
async function answering(status: number, body: string, headers: Record<string, string> = {}) {
  const asked: { url: URL; body: string; headers: Record<string, unknown> }[] = []
  const server = createServer(async (request, answer) => {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk)
    asked.push({ url: new URL(request.url ?? '', 'http://clickhouse'), body: text, headers: request.headers })
    answer.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo // a server that listens on a port has an address
  const env = { CLICKHOUSE_URL: `http://127.0.0.1:${port}/events_of_ours`, CLICKHOUSE_USER: 'u', CLICKHOUSE_PASSWORD: 'p' } as Env // nothing else is asked for
  return { env, asked }
}

describe('ClickHouse', () => {
  it('is told the token of what it is to write, in the database that the address names', async () => {
    const { env, asked } = await answering(200, '')

    await insertLines('events', { lines: [new TextEncoder().encode('{"a":1}\n'), new TextEncoder().encode('{"a":2}\n')], token: 'batch_1' }, env)

    const [{ url, body, headers } = { url: new URL('http://nowhere'), body: '', headers: {} }] = asked
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ database: 'events_of_ours', insert_deduplication_token: 'batch_1', async_insert: '0' })
    expect(body).toBe('{"a":1}\n{"a":2}\n')
    expect(headers).toMatchObject({ 'x-clickhouse-user': 'u', 'x-clickhouse-key': 'p' })
  })

  it('gets values as parameters, and never in the statement', async () => {
    const { env, asked } = await answering(200, '{"data":[{"count":3}]}')

    const rows = await selectRows('select {service:String}', { service: "a'b\\c\td" }, env)

    expect(rows).toEqual([{ count: 3 }])
    expect(asked[0]?.url.searchParams.get('param_service')).toBe("a'b\\\\c\\td")
    expect(asked[0]?.body).toBe('select {service:String} format JSON')
  })

  it.each([
    ['refuses', 404, 'Code: 60. DB::Exception: Table hunter2.events does not exist', {}, 'UPSTREAM', 'ClickHouse refuses with its code 60'],
    ['fails with a status of success', 200, 'half an answer', { 'X-ClickHouse-Exception-Code': '27' }, 'UPSTREAM', 'ClickHouse refuses with its code 27'],
    ['takes too long', 500, 'Code: 159. DB::Exception: Timeout', {}, 'UNAVAILABLE', 'This is more than ClickHouse does at once: ask for a shorter time'],
    ['stands behind a proxy that fails', 502, '<html>hunter2', {}, 'UNAVAILABLE', 'ClickHouse answers 502'],
  ])('that %s is reported without what it says', async (_what, status, body, headers, code, message) => {
    const { env } = await answering(status, body, headers)

    await expect(selectRows('select 1', {}, env)).rejects.toMatchObject({ code, message })
  })

  it('that is not there, or not configured, is named', async () => {
    await expect(selectRows('select 1', {}, { CLICKHOUSE_URL: 'http://127.0.0.1:9' } as Env)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'ClickHouse does not answer',
    })
    await expect(selectRows('select 1', {}, {} as Env)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'There is no ClickHouse: CLICKHOUSE_URL is not set',
    })
  })
})

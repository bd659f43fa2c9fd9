import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { analyticsUnderTest } from './analytics-under-test.ts'
import type { AnalyticsUnderTest } from './analytics-under-test.ts'

let analytics: AnalyticsUnderTest

const countOf = async (): Promise<number> => Number(await (await analytics.ask({ query: 'select count() from events' })).text())

/** So many rows, a line of JSON each. */
const linesOf = (count: number): string => Array.from({ length: count }, (_, index) => JSON.stringify({ id: `event ${index}`, count: index })).join('\n')

beforeAll(async () => void (analytics = await analyticsUnderTest()))
afterAll(() => analytics.remove())
beforeEach(() => analytics.ownerClient.command({ query: 'truncate table events' }))

describe('the HTTP interface', () => {
  it('answers a ping to everyone, and the rest to nobody without a password', async () => {
    const origin = new URL(analytics.url).origin

    const ping = await fetch(`${origin}/ping`)
    const query = await fetch(`${origin}/?query=select+1`)

    expect([ping.status, await ping.text()]).toEqual([200, 'Ok.\n'])
    expect([query.status, query.headers.get('X-ClickHouse-Exception-Code')]).toEqual([403, '516'])
  })

  it.each([
    ['headers', {}, { 'X-ClickHouse-User': 'db', 'X-ClickHouse-Key': 'secret' }],
    ['HTTP’s basic credentials', {}, { Authorization: `Basic ${btoa('db:secret')}` }],
    ['the URL', { user: 'db', password: 'secret' }, {}],
  ])('takes the password from %s', async (_where, search, headers) => {
    const response = await fetch(`${new URL(analytics.url).origin}/?${new URLSearchParams({ query: 'select 1', ...search })}`, { headers })

    expect([response.status, await response.text()]).toEqual([200, '1\n'])
  })

  it('says what it did in ClickHouse’s headers', async () => {
    const response = await analytics.ask({ query: 'select number from numbers(3) format JSONEachRow', query_id: 'mine' })

    expect(await response.text()).toBe('{"number":"0"}\n{"number":"1"}\n{"number":"2"}\n')
    expect(response.headers.get('X-ClickHouse-Format')).toBe('JSONEachRow')
    expect(response.headers.get('X-ClickHouse-Query-Id')).toBe('mine')
    expect(response.headers.get('Content-Type')).toBe('application/x-ndjson; charset=UTF-8')
    expect(JSON.parse(response.headers.get('X-ClickHouse-Summary') ?? '')).toMatchObject({ result_rows: '3', written_rows: '0' })
  })

  it('takes the statement and the rows from the body, one after the other', async () => {
    const body = 'INSERT INTO `platform`."events" (id, count) FORMAT JSONEachRow\n{"id":"a","count":1}\n{"id":"b","count":2}'

    const response = await analytics.ask({}, { body })

    expect(response.status).toBe(200)
    expect(JSON.parse(response.headers.get('X-ClickHouse-Summary') ?? '')).toMatchObject({ written_rows: '2' })
    expect(await countOf()).toBe(2)
  })

  it('takes a statement that is half in the URL and half in the body', async () => {
    const response = await analytics.ask({ query: 'select 1 as one,' }, { body: '2 as two format JSONEachRow' })

    expect(await response.text()).toBe('{"one":1,"two":2}\n')
  })

  it.each(['gzip', 'deflate'])('takes bodies packed with %s', async (encoding) => {
    const rows = linesOf(500)
    const body = encoding === 'gzip' ? gzipSync(rows) : await deflated(rows)

    const response = await analytics.ask({ query: 'insert into events format JSONEachRow' }, { body, headers: { 'Content-Encoding': encoding } })

    expect(response.status).toBe(200)
    expect(await countOf()).toBe(500)
  })

  it.each([
    ['a body that unpacks to more than 64 MiB', { body: gzipSync(Buffer.alloc(65 * 1024 ** 2, '\n')), headers: { 'Content-Encoding': 'gzip' } }, 413, 229],
    ['a body that is not what it says', { body: 'plain', headers: { 'Content-Encoding': 'gzip' } }, 400, 117],
    ['a packing that is not taken', { body: 'plain', headers: { 'Content-Encoding': 'zstd' } }, 501, 48],
    ['a statement of more than 256 KiB', { body: `select '${'x'.repeat(262_144)}'` }, 413, 229],
    ['bytes that are no text', { body: new Uint8Array([0, 255, 254, 39, 96, 34]) }, 400, 62],
  ])('refuses %s', async (_what, init, status, code) => {
    const response = await analytics.ask({}, init)

    expect([response.status, response.headers.get('X-ClickHouse-Exception-Code')]).toEqual([status, String(code)])
  })

  it('writes nothing for a GET', async () => {
    const response = await analytics.ask({ query: 'insert into events format JSONEachRow' })

    expect(response.headers.get('X-ClickHouse-Exception-Code')).toBe('164')
  })

  it('takes no rows as an insert of none', async () => {
    const response = await analytics.ask({ query: 'insert into events format JSONEachRow' }, { body: '\n \n' })

    expect(response.status).toBe(200)
    expect(await countOf()).toBe(0)
  })

  it.each([
    [{ no_such_setting: '1' }, 115],
    [{ input_format_record_errors_file_path: '/tmp/errors' }, 115],
    [{ max_execution_time: '100' }, 452],
    [{ max_execution_time: '0' }, 452],
    [{ max_threads: 'many' }, 36],
    [{ session_id: 'mine' }, 48],
    [{ database: 'system' }, 81],
    [{ database: 'other' }, 81],
    [{ default_format: 'TSV into' }, 36],
    [{ default_format: 'NoSuchFormat' }, 73],
  ])('refuses the parameter %j', async (parameter, code) => {
    const response = await analytics.ask({ query: 'select 1', ...parameter })

    expect(response.headers.get('X-ClickHouse-Exception-Code')).toBe(String(code))
  })

  it('accepts what asks for how it is anyway', async () => {
    const response = await analytics.ask({ query: 'select 1', wait_end_of_query: '1', async_insert: '1', wait_for_async_insert: '1', database: 'default' })

    expect(await response.text()).toBe('1\n')
  })
})

async function deflated(text: string): Promise<ArrayBuffer> {
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('deflate'))).arrayBuffer()
}

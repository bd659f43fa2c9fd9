import { ClickHouseError, createClient } from '@clickhouse/client-web'
import type { ClickHouseSettings } from '@clickhouse/client-web'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { analyticsUnderTest, clientOf } from './analytics-under-test.ts'
import type { AnalyticsUnderTest } from './analytics-under-test.ts'

let analytics: AnalyticsUnderTest

const numbers = (count: number): { id: string; count: number }[] => Array.from({ length: count }, (_, index) => ({ id: `event ${index}`, count: index }))

const countOf = async (): Promise<number> =>
  Number((await (await analytics.client.query({ query: 'select count() from events', format: 'TabSeparated' })).text()).trim())

beforeAll(async () => void (analytics = await analyticsUnderTest()))
afterAll(() => analytics.remove())
beforeEach(() => analytics.ownerClient.command({ query: 'truncate table events' }))

describe('ClickHouse’s own client', () => {
  it('is answered when it asks whether anyone is there', async () => {
    expect(await analytics.client.ping()).toEqual({ success: true })
    expect(await analytics.client.ping({ select: true })).toMatchObject({ success: true })
  })

  it('writes rows and reads them again, with values as parameters', async () => {
    const values = [{ id: "it's\n\\ü", count: '18446744073709551615' }, ...numbers(3)]

    const { query_id } = await analytics.client.insert({ table: 'events', values, columns: ['id', 'count'], format: 'JSONEachRow' })
    const found = await analytics.client.query({
      query: 'select id, count from events where id in {ids:Array(String)} or id = {id:String} or count = {count:UInt64} order by id',
      query_params: { ids: ['event 1', "o'\\"], id: "it's\n\\ü", count: 2 },
      format: 'JSONEachRow',
    })

    expect(query_id).toMatch(/^[0-9a-f-]{36}$/)
    expect(await found.json()).toEqual([
      { id: 'event 1', count: '1' },
      { id: 'event 2', count: '2' },
      { id: "it's\n\\ü", count: '18446744073709551615' },
    ])
  })

  it('gets 64-bit integers as texts unless it asks for numbers', async () => {
    const query = 'select toUInt64(5) as big, toUInt8(5) as small'

    const texts = await (await analytics.client.query({ query, format: 'JSONEachRow' })).json()
    const clickhouse_settings = { output_format_json_quote_64bit_integers: 0 } as const
    const plain = await (await analytics.client.query({ query, format: 'JSONEachRow', clickhouse_settings })).json()

    expect(texts).toEqual([{ big: '5', small: 5 }])
    expect(plain).toEqual([{ big: 5, small: 5 }])
  })

  it('does not write rows twice that come again under their token', async () => {
    const insert = (values: object[], token: string) =>
      analytics.client.insert({ table: 'events', values, format: 'JSONEachRow', clickhouse_settings: { insert_deduplication_token: token } })

    await insert(numbers(3), 'first')
    await insert(numbers(3), 'first')
    await insert(numbers(2), 'second')

    expect(await countOf()).toBe(5)
  })

  it.each([
    ['a statement that is none', 'selec 1', 62, 'Syntax error'],
    ['two statements', 'select 1; select 2', 62, 'Multi-statements are not allowed'],
    ['a table that is not there', 'select * from missing', 60, 'missing'],
    ['a column that is not there', 'select missing from events', 47, 'missing'],
    ['a parameter that was not given', 'select {x:UInt8}', 456, 'x'],
    [
      'a query that takes too long',
      'select count() from numbers(1000000000000) where sipHash64(number) = 0',
      159,
      'Timeout exceeded',
      { max_execution_time: 1 },
    ],
    ['an answer of more than 128 MiB', "select repeat('x', 900000 + number) from numbers(200)", 396, 'Limit for result exceeded'],
    ['an answer that is so long because of one value', "select repeat('x', 1000000) from numbers(150)", 396, 'Limit for result exceeded'],
    [
      'a query that takes too much memory',
      'select length(groupArray(toString(number))) from numbers(100000000)',
      241,
      'memory limit exceeded',
      { max_memory_usage: '10000000' },
    ],
  ])('is told the code and the reason for %s', async (_what, query, code, text, clickhouse_settings: ClickHouseSettings = {}) => {
    const asked = analytics.client.query({ query, format: 'JSONEachRow', clickhouse_settings })

    const error = await asked.then(
      () => undefined,
      (reason: unknown) => reason,
    )

    expect(error).toBeInstanceOf(ClickHouseError)
    expect(error).toMatchObject({ code: String(code), message: expect.stringContaining(text) })
  })

  it('writes none of the rows when one of them is wrong', async () => {
    const values = [...numbers(1000), { id: 'wrong', count: 'many' }]

    const inserted = analytics.client.insert({ table: 'events', values, format: 'JSONEachRow' })

    await expect(inserted).rejects.toMatchObject({ code: '27' })
    expect(await countOf()).toBe(0)
  })

  it.each([
    ['a wrong password', 'db', 'wrong'],
    ['a user that is not there', 'default', ''],
    ['the owner’s name with the service’s password', 'owner', 'secret'],
  ])('is refused with %s, in the same words', async (_what, user, password) => {
    const stranger = clientOf({ url: analytics.url, user, password })

    const asked = stranger.query({ query: 'select 1' })

    await expect(asked).rejects.toMatchObject({
      code: '516',
      message: `${user}: Authentication failed: password is incorrect, or there is no user with such name. `,
    })
    await stranger.close()
  })

  it('may have answers compressed', async () => {
    const client = createClient({
      url: new URL(analytics.url).origin,
      username: 'db',
      password: 'secret',
      database: 'platform',
      compression: { response: true },
    })
    await client.insert({ table: 'events', values: numbers(1000), format: 'JSONEachRow' })

    const rows = await (await client.query({ query: 'select id from events', format: 'JSONEachRow' })).json()

    expect(rows).toHaveLength(1000)
    await client.close()
  })

  it('is answered sixteen times at once, each with its own parameters and settings', async () => {
    const ask = async (index: number): Promise<unknown> => {
      const query = "select {n:UInt32} as n, getSetting('max_block_size') as size, sleep(0.01) as slept"
      const clickhouse_settings = { max_block_size: String(1000 + index), output_format_json_quote_64bit_integers: 0 } as const
      return (await analytics.client.query({ query, query_params: { n: index }, format: 'JSONEachRow', clickhouse_settings })).json()
    }

    const answers = await Promise.all(Array.from({ length: 160 }, (_, index) => ask(index)))

    expect(answers).toEqual(Array.from({ length: 160 }, (_, index) => [{ n: index, size: 1000 + index, slept: 0 }]))
  })

  it('writes from sixteen sides at once without losing or doubling a row', async () => {
    const insert = (index: number) =>
      analytics.client.insert({ table: 'events', values: numbers(100).map((row) => ({ ...row, id: `${index} ${row.id}` })), format: 'JSONEachRow' })

    await Promise.all(Array.from({ length: 48 }, (_, index) => insert(index)))

    const query = 'select count() as rows, uniqExact(id) as ids from events'
    expect(await (await analytics.client.query({ query, format: 'JSONEachRow' })).json()).toEqual([{ rows: '4800', ids: '4800' }])
  })
})

import { existsSync } from 'node:fs'
import { glob, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openAnalytics } from '../../src/analytics/open.ts'
import { analyticsUnderTest, clientOf, request } from '../analytics/analytics-under-test.ts'
import type { AnalyticsUnderTest } from '../analytics/analytics-under-test.ts'

let analytics: AnalyticsUnderTest

beforeEach(async () => void (analytics = await analyticsUnderTest(1_000)))
afterEach(() => analytics.remove())

const insert = (ids: string[], token?: string) =>
  analytics.client.insert({
    table: 'events',
    values: ids.map((id) => ({ id })),
    format: 'JSONEachRow',
    clickhouse_settings: token === undefined ? {} : { insert_deduplication_token: token },
  })

const rows = async (): Promise<string[]> =>
  (await analytics.ask({ query: 'select id from events order by id' })).text().then((text) => text.split('\n').slice(0, -1))

/** Where a part's rows lie. */
async function partOf(name: string): Promise<string> {
  const found: string[] = []
  for await (const path of glob(join(analytics.dir, 'data/store/*/*', name))) found.push(path)
  expect(found).toHaveLength(1)
  return found.join()
}

/** One value is one step to the engine, which looks at its limit between steps only; this one takes ten seconds. */
const ENDLESS = "select levenshteinDistance(materialize(repeat('a', 60000)), repeat('b', 60000))"

describe('the embedded ClickHouse in its process', { timeout: 180_000 }, () => {
  it('keeps its rows, and which tokens it has seen, from one start to the next', async () => {
    await insert(['kept'], 'token')

    await analytics.close()
    const again = await openAnalytics({ dir: analytics.dir, password: 'secret' })
    const client = clientOf(again)
    await client.insert({ table: 'events', values: [{ id: 'kept' }], format: 'JSONEachRow', clickhouse_settings: { insert_deduplication_token: 'token' } })
    const kept = await (await client.query({ query: 'select id from events', format: 'JSONEachRow' })).json()

    expect(kept).toEqual([{ id: 'kept' }])
    await client.close()
    await again.close()
  })

  it('writes rows whose insert was cut off between its token and its rows', async () => {
    await insert(['kept'], 'first')
    await insert(['lost'], 'second')
    await analytics.close()
    // As it would be, had the second insert been killed there.
    await rm(await partOf('all_2_2_0'), { recursive: true })

    const again = await openAnalytics({ dir: analytics.dir, password: 'secret' })
    for (const [id, token] of [
      ['kept', 'first'],
      ['lost', 'second'],
      ['lost', 'second'],
    ] as const)
      await request(again, { query: 'insert into events format JSONEachRow', insert_deduplication_token: token }, { body: JSON.stringify({ id }) })

    expect(await (await request(again, { query: 'select id from events order by id' })).text()).toBe('kept\nlost\n')
    await again.close()
  })

  it('opens again on the same port, with every row, when it is killed', async () => {
    await insert(['kept'])
    const killed = analytics.pid() ?? 0

    process.kill(killed, 'SIGKILL')

    await expect.poll(() => analytics.lines, { timeout: 120_000 }).toContain('analytics is open again')
    expect(analytics.pid()).not.toBe(killed)
    expect(await rows()).toEqual(['kept'])
  })

  it('kills a query that its limit does not end, and opens again with every row', async () => {
    await insert(['kept'])

    const endless = analytics.ask({ query: ENDLESS })

    await expect(endless).rejects.toThrow('fetch failed')
    await expect.poll(() => analytics.lines, { timeout: 120_000 }).toContain('analytics is open again')
    expect(analytics.lines.join('\n')).toContain('a query held the analytics for more than 2000 ms')
    expect(await rows()).toEqual(['kept'])
  })

  it('answers others while a query runs to its limit', async () => {
    const long = analytics.ask({ query: 'select count() from numbers(1000000000000) where sipHash64(number) = 0' })

    const short = await (await analytics.ask({ query: 'select 1' })).text()

    expect(short).toBe('1\n')
    expect((await long).status).toBe(408)
  })

  it('refuses a directory that another process has, and names it', async () => {
    const second = openAnalytics({ dir: analytics.dir, password: 'secret' })

    await expect(second).rejects.toThrow(`is in use by process ${analytics.pid()}`)
    expect(await (await analytics.ask({ query: 'select 1' })).text()).toBe('1\n')
  })

  it('ends what runs when it is closed, and leaves no process', async () => {
    const pid = analytics.pid() ?? 0
    const running = analytics.ask({ query: 'select sleep(0.3)' })
    await expect.poll(async () => (await analytics.ask({ query: 'select count() from system.processes' })).text()).toBe('2\n')

    await analytics.close()

    expect((await running).status).toBe(200)
    expect(existsSync(`/proc/${pid}/status`)).toBe(false)
  })

  it('keeps its files from other users of the machine', async () => {
    const mode = async (name: string): Promise<number> => (await stat(join(analytics.dir, name))).mode & 0o077

    expect([await mode('config'), await mode('config/users.xml'), await mode('data')]).toEqual([0, 0, 0])
  })
})

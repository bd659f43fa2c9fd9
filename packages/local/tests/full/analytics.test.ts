import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect, it, onTestFinished } from 'vitest'
import { openAnalytics } from '../../src/analytics/open.ts'
import { analyticsUnderTest, request } from '../analytics/analytics-under-test.ts'
import type { AnalyticsUnderTest } from '../analytics/analytics-under-test.ts'

const KILLS = 25
const WRITERS = 4
const BATCH = 50

it('loses no acknowledged row and doubles none, however often it is killed in the middle of inserts that are sent again', async () => {
  const analytics = await underTest()
  const acknowledged: string[] = []
  let isOver = false

  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let batch = 0; !isOver; batch++) {
      await insertUntilAcknowledged(analytics, `${writer}-${batch}`)
      acknowledged.push(`${writer}-${batch}`)
    }
  })
  for (let kill = 1; kill <= KILLS; kill++) {
    const [pid = 0, seen] = [analytics.pid(), acknowledged.length]
    await expect.poll(() => acknowledged.length, { timeout: 120_000, interval: randomInt(1, 40) }).toBeGreaterThan(seen + randomInt(0, 20))
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => analytics.lines.filter((line) => line === 'analytics is open again').length, { timeout: 120_000, interval: 5 }).toBe(kill)
  }
  isOver = true
  await Promise.all(writers)

  expect(await figures(analytics)).toEqual({ rows: acknowledged.length * BATCH, ids: acknowledged.length * BATCH, batches: acknowledged.length })
}, 300_000)

it.each([
  ['idle', undefined],
  ['held by a query', 'select count() from numbers(1000000000000) where sipHash64(number) = 0'],
])('leaves no process behind when its parent is killed while it is %s, and keeps its rows', async (_what, query) => {
  const dir = await mkdtemp(join(tmpdir(), 'analytics-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const script = fileURLToPath(new URL('./analytics-parent.ts', import.meta.url))
  const parent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface(parent.stdout), 'line')
  const { pid, url }: { pid: number; url: string } = JSON.parse(String(line))
  const held = query === undefined ? undefined : request({ url, user: 'db', password: 'secret' }, { query }).catch((error: unknown) => error)

  parent.kill('SIGKILL')
  await once(parent, 'exit')

  await expect.poll(() => isAlive(pid), { timeout: 120_000 }).toBe(false)
  await held
  const again = await openAnalytics({ dir, password: 'secret' })
  expect(await (await request(again, { query: 'select 1' })).text()).toBe('1\n')
  await again.close()
})

it.each([10, 50])('takes %d MiB of rows in one body, plain and packed', async (mebibytes) => {
  const analytics = await underTest()
  const line = `${JSON.stringify({ id: 'x'.repeat(980), count: 7 })}\n`
  const body = Buffer.from(line.repeat((mebibytes * 1024 ** 2) / line.length))
  const rows = body.length / line.length

  const plain = await analytics.ask({ query: 'insert into events format JSONEachRow', insert_deduplication_token: 'plain' }, { body })
  const packed = await analytics.ask(
    { query: 'insert into events format JSONEachRow', insert_deduplication_token: 'packed' },
    { body: gzipSync(body), headers: { 'Content-Encoding': 'gzip' } },
  )
  const again = await analytics.ask({ query: 'insert into events format JSONEachRow', insert_deduplication_token: 'plain' }, { body })

  expect([plain.status, packed.status, again.status]).toEqual([200, 200, 200])
  expect(await (await analytics.ask({ query: 'select count(), sum(count) from events' })).text()).toBe(`${rows * 2}\t${rows * 14}\n`)
})

async function underTest(): Promise<AnalyticsUnderTest> {
  const analytics = await analyticsUnderTest()
  onTestFinished(analytics.remove)
  await analytics.ownerClient.command({ query: 'alter table events modify setting non_replicated_deduplication_window = 10000' })
  return analytics
}

/** Sends a batch under its name as the token, again and again, until it is acknowledged. */
async function insertUntilAcknowledged(analytics: AnalyticsUnderTest, token: string): Promise<void> {
  const body = Array.from({ length: BATCH }, (_, row) => JSON.stringify({ id: `${token}-${row}`, count: row })).join('\n')
  const send = () => analytics.ask({ query: 'insert into events format JSONEachRow', insert_deduplication_token: token }, { body })
  const isAcknowledged = async (): Promise<boolean> => (await send().catch(() => undefined))?.status === 200
  while (!(await isAcknowledged())) await expect.poll(() => answersPing(analytics), { timeout: 120_000, interval: 5 }).toBe(true)
}

const answersPing = (analytics: AnalyticsUnderTest): Promise<boolean> =>
  fetch(`${new URL(analytics.url).origin}/ping`).then(
    ({ ok }) => ok,
    () => false,
  )

async function figures(analytics: AnalyticsUnderTest): Promise<unknown> {
  const query =
    "select toUInt32(count()) as rows, toUInt32(uniqExact(id)) as ids, toUInt32(uniqExact(substring(id, 1, length(id) - position(reverse(id), '-')))) as batches from events"
  return (await analytics.ask({ query, default_format: 'JSONEachRow' })).json()
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

import { applyAnalyticsSchema, statementsOf } from '@dot-do/worker-data/analytics-schema'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { analyticsUnderTest } from './analytics-under-test.ts'
import type { AnalyticsUnderTest } from './analytics-under-test.ts'

let analytics: AnalyticsUnderTest

beforeAll(async () => void (analytics = await analyticsUnderTest()))
afterAll(() => analytics.remove())

it('cuts a file where a line ends with a semicolon, and nowhere else', () => {
  const sql = "-- first; of two;\ncreate table a (x String default ';') -- here\n  engine = Memory;  \r\n\n-- nothing;\nselect ';', 1 ; \nselect 2"

  const statements = statementsOf(sql)

  expect(statements).toEqual(["create table a (x String default ';') -- here\n  engine = Memory", "select ';', 1", 'select 2'])
})

it('runs files in the order of their names, and any number of times', async () => {
  const directory = await folder({
    '0002_more.sql': 'alter table ordered add column if not exists b UInt8;\n',
    '0001_first.sql': 'create table if not exists ordered (a UInt8) engine = MergeTree order by a;\n',
    'notes.txt': 'no statement',
  })

  const first = await applyAnalyticsSchema(analytics.owner, directory)
  const second = await applyAnalyticsSchema(analytics.owner, directory)

  expect([first, second]).toEqual([
    ['0001_first.sql', '0002_more.sql'],
    ['0001_first.sql', '0002_more.sql'],
  ])
  expect(await (await analytics.ask({ query: "select name from system.columns where table = 'ordered' order by name" })).text()).toBe('a\nb\n')
})

it('names the file and the reason when a statement fails, and leaves the rest undone', async () => {
  const directory = await folder({ '0001_wrong.sql': 'create tabl x;\n', '0002_after.sql': 'create table after_wrong (a UInt8) engine = Memory;\n' })

  const applied = applyAnalyticsSchema(analytics.owner, directory)

  await expect(applied).rejects.toThrow(/^0001_wrong\.sql: Code: 62\. DB::Exception: Syntax error/)
  expect((await analytics.ask({ query: 'select * from after_wrong' })).status).toBe(404)
})

it('needs no folder', async () => {
  expect(await applyAnalyticsSchema(analytics.owner, '/nowhere/analytics')).toEqual([])
})

it('is for those who may make tables', async () => {
  const directory = await folder({ '0001_mine.sql': 'create table mine (a UInt8) engine = Memory;\n' })

  await expect(applyAnalyticsSchema(analytics, directory)).rejects.toThrow('CREATE TABLE is not served to this user')
})

async function folder(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'schema-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await Promise.all(Object.entries(files).map(([name, sql]) => writeFile(join(directory, name), sql)))
  return directory
}

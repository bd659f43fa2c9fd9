import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { analyticsUnderTest, request } from '../analytics/analytics-under-test.ts'
import type { AnalyticsUnderTest } from '../analytics/analytics-under-test.ts'
import { ESCAPES } from '../analytics/escapes.ts'

const SECRET = 'text-that-only-the-file-holds'

let analytics: AnalyticsUnderTest
let outside: string
let server: Server
let visits = 0

/** A path outside, in statements: `$dir/secret` is a file there. */
const placed = (text: string): string => text.replaceAll('$dir', outside).replaceAll('$port', String(portOf(server)))

beforeAll(async () => {
  analytics = await analyticsUnderTest()
  outside = await mkdtemp(join(tmpdir(), 'outside-'))
  await writeFile(join(outside, 'secret'), `${SECRET}\n`)
  server = createServer((_request, response) => {
    visits++
    response.end(SECRET)
  }).on('connection', () => void visits++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  server.close()
  await analytics.remove()
  await rm(outside, { recursive: true, force: true })
})

describe.each([
  ['db', () => analytics],
  ['the owner of the tables', () => analytics.owner],
] as const)('what %s asks', (_who, access) => {
  it.each(ESCAPES)('stays within its own database: %s', async (statement) => {
    const before = visits

    const response = await request(access(), {}, { method: 'POST', body: placed(statement) })

    const text = await response.text()
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(text).toMatch(/^Code: \d+\. DB::Exception: /)
    expect(text).not.toContain(SECRET)
    expect(existsSync(join(outside, 'made'))).toBe(false)
    expect(visits).toBe(before)
  })

  it.each([
    ['select arrayMap({f:Identifier}, [{p:String}])', 'file'],
    ['select arrayMap({f:Identifier}, [{p:String}])', '\\x66ile'],
    ['select arrayMap({ f : Identifier }, [{p:String}])', 'FILE'],
    ['select * from {f:Identifier}', 'default.secret'],
    ['select * from {f:Identifier}', '`default`.`secret`'],
  ])('does not find a file by a name that is a parameter: %s with %s', async (query, value) => {
    const response = await request(access(), { query, param_f: value, param_p: join(outside, 'secret') })

    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(await response.text()).not.toContain(SECRET)
  })
})

describe('what comes as rows', () => {
  it.each([
    ['\n\nselect 1 into outfile'],
    ['{"id":"a"}\n\nselect 1 into outfile'],
    ['{"id":"a"}\n\n\n\nselect 1 into outfile'],
    ['{"id":"a"}\r\n\r\nselect 1 into outfile'],
    ['{"id":"a"};\n\nselect 1 into outfile'],
    ['{"id":"a"};select 1 into outfile'],
    ['{"id":"a"}\n \n\nselect 1 into outfile'],
    ['{"id":"a\n\nselect 1 into outfile'],
    [' \n\t\n\nselect 1 into outfile'],
  ])('is never run as a statement: %j', async (rows) => {
    const made = join(outside, 'made')

    const answers = [
      await analytics.ask({ query: 'insert into events format JSONEachRow' }, { body: `${rows} '${made}'` }),
      await analytics.ask({}, { body: `insert into events format JSONEachRow\n${rows} '${made}'` }),
      await analytics.ask({}, { body: `insert into events format JSONEachRow ${rows} '${made}'` }),
      await analytics.ask({ query: 'insert into events (id) format TabSeparated' }, { body: `${rows} '${made}'` }),
      await analytics.ask({ query: 'insert into events (id) format CSV' }, { body: `${rows} '${made}'` }),
    ]

    expect(answers.slice(0, 3).map(({ status }) => status)).toEqual([400, 400, 400])
    expect(existsSync(made)).toBe(false)
  })

  it.each([
    ['insert into events format Template'],
    ['insert into events format Values'],
    ['insert into events format JSONEachRow settings max_threads = 1'],
    ['insert into events select * from input() format JSONEachRow'],
    ['insert into events (* except(id)) format JSONEachRow'],
    ['insert into events (id) format JSONEachRow -- x'],
    ['insert into events (id) /* x */ format JSONEachRow'],
    ['insert into "ev\\x65nts" format JSONEachRow'],
    ["insert into function file('x') format JSONEachRow"],
  ])('is taken behind a plain INSERT only, not: %s', async (query) => {
    const response = await analytics.ask({ query }, { body: '{"id":"a"}\n' })

    expect(response.status).toBeGreaterThanOrEqual(400)
  })

  it.each([
    ['system.one', 497],
    ['system.tables', 497],
    ['default.secret', 60],
    ['information_schema.tables', 497],
  ])('does not go to %s', async (table, code) => {
    const response = await analytics.ask({ query: `insert into ${table} format JSONEachRow` }, { body: '{"id":"a"}\n' })

    expect(response.headers.get('X-ClickHouse-Exception-Code')).toBe(String(code))
  })
})

describe('what db asks', () => {
  it.each([
    'create table t (a UInt8) engine = Memory',
    'create or replace view v as select 1',
    'alter table events add column x UInt8',
    'alter table events delete where 1',
    'delete from events where 1',
    'drop table events',
    'truncate table events',
    'optimize table events',
    'rename table events to other',
    'insert into events (id) select toString(number) from numbers(3)',
    'select 1 settings max_threads = 1',
    'select 1 settings readonly = 0, allow_ddl = 1',
  ])('changes no table and no setting: %s', async (statement) => {
    const response = await analytics.ask({}, { body: statement })

    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(await (await analytics.ask({ query: 'select name from system.columns where database = currentDatabase() order by name' })).text()).toBe(
      'at\ncount\nid\n',
    )
  })
})

it('lets no table function of the engine read or fetch from outside', async () => {
  const names = (await (await analytics.ask({ query: 'select name from system.table_functions order by name' })).text()).trim().split('\n')
  const before = visits

  const answers = await answersTo(
    names.flatMap((name) =>
      [`'${outside}/secret'`, `'${outside}/secret', 'LineAsString', 'a String'`, `'http://127.0.0.1:${portOf(server)}/', 'LineAsString', 'a String'`].map(
        (values) => `select * from \`${name}\`(${values}) limit 10`,
      ),
    ),
  )

  expect(names.length).toBeGreaterThan(50)
  expect(answers.filter((answer) => answer.includes(SECRET))).toEqual([])
  expect(visits).toBe(before)
})

it('lets no function of the engine read a file, called by its name or given to another', { timeout: 180_000 }, async () => {
  const query = 'select name from system.functions where not is_aggregate and origin = {origin:String} order by name'
  const names = (await (await analytics.ask({ query, param_origin: 'System' })).text())
    .trim()
    .split('\n')
    .filter((name) => !/^sleep/i.test(name))

  const answers = await answersTo(
    names.flatMap((name) => [`\`${name}\`('${outside}/secret')`, `arrayMap(\`${name}\`, ['${outside}/secret'])`].map((call) => `select toString(${call})`)),
  )

  expect(names.length).toBeGreaterThan(1_000)
  expect(answers.filter((answer) => answer.includes(SECRET))).toEqual([])
})

it('leaves strings, columns and parameters alone that only sound like files', async () => {
  const query =
    "select 'INTO OUTFILE file(1)' as text, {p:String} as p, t.file as f, {n:Identifier} as n from (select cast(tuple(1), 'Tuple(file UInt8)') as t, 2 as other) format JSONEachRow"

  const response = await analytics.ask({ query, param_p: "file('x') into outfile 'y'", param_n: 'other' })

  expect(await response.json()).toEqual({ text: 'INTO OUTFILE file(1)', p: "file('x') into outfile 'y'", f: 1, n: 2 })
  expect(await readFile(join(outside, 'secret'), 'utf8')).toContain(SECRET)
})

/** What each statement is answered, sixteen at a time. */
async function answersTo(statements: string[]): Promise<string[]> {
  const answers: string[] = []
  const rest = statements.values()
  const ask = async (): Promise<void> => {
    for (const body of rest) answers.push(await (await analytics.ask({}, { body })).text())
  }
  await Promise.all(Array.from({ length: 16 }, ask))
  expect(answers.filter((answer) => answer.startsWith('Code: 202'))).toEqual([])
  return answers
}

function portOf(listening: Server): number {
  const address = listening.address()
  return typeof address === 'object' && address ? address.port : 0
}

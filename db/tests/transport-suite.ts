// long: one suite, given to every transport
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

/** A statement as a test writes it. */
export interface Sql {
  sql: string
  params?: (string | number | boolean | null | object)[]
}

/** What a statement gave, as its caller sees it. */
export interface Given {
  command: string
  rowCount: number
  fields: { name: string }[]
  rows: unknown[][]
}

/** What came of one step of a transaction. */
export interface Outcome {
  value?: unknown
  error?: { code: string; message: string; details?: { path: string; message: string }[] }
}

/** A method of a live transaction, and what it is given. */
export type Step = ['query', Sql] | ['commit'] | ['rollback']

/** One way to one PostgreSQL. Roles are those of db and auth. */
export interface TransportUnderTest {
  /** Fails with an error that has `code`, `message` and `details`. */
  execute(role: string, statements: Sql[], readOnly?: boolean): Promise<Given[]>
  /** Begins a transaction, does these steps whatever comes of each, and lets go of it. */
  begin(role: string, steps: Step[], input?: { readOnly?: boolean }): Promise<Outcome[]>
  /** Ends every connection and lets new ones be made, as a restart of the server does. */
  restart(): Promise<void>
  close(): Promise<void>
}

interface Expected {
  /** Whether transactions run side by side. */
  isConcurrent: boolean
}

const LEDGER = 'insert into db.ledger (principal, operation, key, input_hash, answer) values ($1, $2, $3, $4, $5)'
const entry = (key: string): Sql => ({ sql: LEDGER, params: ['suite', 'test', key, '', {}] })
const KEYS: Sql = { sql: `select key from db.ledger where principal = 'suite' order by key` }

/** Ways in which the role db might reach what is auth's, each text a statement of its own. */
const ESCAPES = [
  'select count(*) from auth.keys',
  'insert into auth.audit (id) values (1)',
  'with gone as (delete from auth.keys returning 1) select * from gone',
  'set role auth',
  'reset role',
  'set session authorization auth',
  'set local role auth',
  'commit',
  'commit; select 1',
  'rollback; set role auth',
  'select 1; select count(*) from auth.keys',
  'begin',
  'savepoint s',
  'do $$ begin end $$',
  'copy auth.keys to stdout',
  'listen everything',
  'prepare p as select 1',
  'discard all',
  `select set_config('role', 'auth', false)`,
  'select rolpassword from pg_authid',
]

/** What every transport does in the same way, on every PostgreSQL. */
// long: a suite, which runs for every pair of transport and database
export function transportSuite(open: () => Promise<TransportUnderTest>, { isConcurrent }: Expected): void {
  let under: TransportUnderTest
  const one = async (role: string, sql: string, params: Sql['params'] = []): Promise<Given> => {
    const [given] = await under.execute(role, [{ sql, params }])
    if (!given) throw new Error('Nothing was answered')
    return given
  }
  const keys = async (): Promise<unknown[]> => (await under.execute('db', [KEYS])).flatMap(({ rows }) => rows.flat())

  beforeAll(async () => {
    under = await open()
  }, 120_000)
  beforeEach(() => under.execute('db', [{ sql: `delete from db.ledger where principal = 'suite'` }]))
  afterAll(() => under?.close(), 60_000)

  describe('values', () => {
    it.each([
      ['int8', 9007199254740993n.toString(), '9007199254740993'],
      ['int4', -7, -7],
      ['int2', 7, 7],
      ['numeric', '1.10', '1.10'],
      ['float8', 1.5, 1.5],
      ['bool', false, false],
      ['text', `naïve 漢字 🙂 \\ ' " $1`, `naïve 漢字 🙂 \\ ' " $1`],
      ['text', '', ''],
      ['text', null, null],
      ['bytea', '\\x00ff0a', '\\x00ff0a'],
      ['json', { a: [1, null] }, { a: [1, null] }],
      ['jsonb', { a: 'b"c', d: 1.5 }, { a: 'b"c', d: 1.5 }],
      ['timestamptz', '2026-01-01 00:00:00.123456+00', '2026-01-01 00:00:00.123456+00'],
      ['date', '2026-01-01', '2026-01-01'],
      ['uuid', '00000000-0000-4000-8000-000000000000', '00000000-0000-4000-8000-000000000000'],
      ['text[]', ['a', 'b"c', '\\', null, ''], ['a', 'b"c', '\\', null, '']],
      ['int4[]', [1, 2, null], [1, 2, null]],
      ['int8[]', ['9007199254740993'], ['9007199254740993']],
      ['bool[]', [true, false], [true, false]],
      ['float8[]', [1.5, 2], [1.5, 2]],
      ['numeric[]', ['1.10'], '{1.10}'],
      ['jsonb[]', [{ a: 1 }], [{ a: 1 }]],
      ['point', '(1,2)', '(1,2)'],
    ])('of type %s come back: %j', async (type, value, expected) => {
      const { rows, fields } = await one('db', `select $1::${type} as value`, [value])

      expect(rows).toEqual([[expected]])
      expect(fields).toMatchObject([{ name: 'value' }])
    })

    it('are values, whatever they say', async () => {
      expect((await one('db', 'select $1::text', [`'; drop table db.ledger; --`])).rows).toEqual([[`'; drop table db.ledger; --`]])
    })

    it('of ten megabytes come back', async () => {
      const { rows } = await one('db', 'select repeat($1::text, 10000000)', ['x'])

      expect(String(rows[0]?.[0])).toHaveLength(10_000_000)
    })
  })

  describe('statements of one call', () => {
    it('run in order, and each is answered', async () => {
      const given = await under.execute('db', [entry('b'), entry('a'), KEYS, { sql: `delete from db.ledger where principal = 'suite' returning key` }])

      expect(given).toMatchObject([
        { command: 'INSERT', rowCount: 1, rows: [] },
        { command: 'INSERT', rowCount: 1, rows: [] },
        { command: 'SELECT', rowCount: 2, fields: [{ name: 'key' }], rows: [['a'], ['b']] },
        { command: 'DELETE', rowCount: 2, fields: [{ name: 'key' }] },
      ])
    })

    it('are all done or none', async () => {
      const refused = under.execute('db', [entry('a'), entry('b'), entry('a')])

      await expect(refused).rejects.toMatchObject({
        code: 'CONFLICT',
        details: [
          { path: 'sqlstate', message: '23505' },
          { path: 'constraint', message: 'ledger_pkey' },
        ],
      })
      expect(await keys()).toEqual([])
    })

    it('see one and the same time', async () => {
      const given = await under.execute('db', [{ sql: 'select now()' }, entry('a'), { sql: 'select now()' }])

      expect(given[0]?.rows).toEqual(given[2]?.rows)
    })

    it('change nothing when they are to read only, and read all the same', async () => {
      await expect(under.execute('db', [entry('a')], true)).rejects.toMatchObject({ code: 'FORBIDDEN', details: [{ path: 'sqlstate', message: '25006' }] })

      expect(await under.execute('db', [{ sql: 'select 1' }, { sql: 'select 2' }], true)).toMatchObject([{ rows: [[1]] }, { rows: [[2]] }])
      expect(await keys()).toEqual([])
    })

    it('are those of many callers, each of whom gets his own answer', async () => {
      const given = await Promise.all(Array.from({ length: 32 }, (_, index) => one('db', 'select $1::int4', [index])))

      expect(given.map(({ rows }) => rows)).toEqual(Array.from({ length: 32 }, (_, index) => [[index]]))
    })

    it('of many callers that change one row are all done', async () => {
      await under.execute('db', [entry('counter')])
      const add = `update db.ledger set answer = to_jsonb(coalesce((answer #>> '{}')::int, 0) + 1) where principal = 'suite' and key = 'counter' and jsonb_typeof(answer) = 'number'`
      await one('db', `update db.ledger set answer = '0' where principal = 'suite' and key = 'counter'`)

      await Promise.all(Array.from({ length: 32 }, () => one('db', add)))

      expect((await one('db', `select answer from db.ledger where principal = 'suite'`)).rows).toEqual([[32]])
    })
  })

  describe('a refusal', () => {
    it.each([
      ['a text that is no SQL', 'select from where', 'INVALID', '42601'],
      ['a table that is not there', 'select 1 from db.nothing', 'INVALID', '42P01'],
      ['two statements in one text', 'select 1; select 2', 'INVALID', '42601'],
      ['a division by zero', 'select 1 / 0', 'INVALID', '22012'],
      ['a value of another type', `select 'x'::int`, 'INVALID', '22P02'],
      ['a value that may not be missing', `insert into db.ledger (principal) values ('suite')`, 'INVALID', '23502'],
      ['a parameter too few', 'select $1::text', 'INVALID', '08P01'],
      ['a foreign table', 'select 1 from auth.keys', 'FORBIDDEN', '42501'],
      ['a statement of another kind', 'vacuum', 'FORBIDDEN', '42501'],
      ['an answer of a hundred megabytes', `select repeat('x', 1000000) from generate_series(1, 100)`, 'INVALID', '54000'],
      ['an answer that RPC would make too large', `select repeat('x', 10000000) || '🙂' from generate_series(1, 2)`, 'INVALID', '54000'],
    ])('of %s says so, and what comes next goes through', async (_what, sql, code, sqlstate) => {
      await expect(one('db', sql)).rejects.toMatchObject({ code, details: [{ path: 'sqlstate', message: sqlstate }] })

      expect((await one('db', 'select 1')).rows).toEqual([[1]])
    })

    it('of an answer that is too large undoes what was written', async () => {
      const refused = under.execute('db', [entry('a'), { sql: `select repeat('x', 1000000) from generate_series(1, 100)` }])

      await expect(refused).rejects.toMatchObject({ code: 'INVALID', message: expect.stringContaining('read it in pages') })
      expect(await keys()).toEqual([])
    })

    it.each(['nobody', 'postgres', 'db_reader; reset role'])('meets %j, which has no role of its own, and names no password', async (role) => {
      const refusal: unknown = await under.execute(role, [{ sql: 'select 1' }]).catch((error: unknown) => error)

      expect(refusal).toMatchObject({ code: 'INTERNAL', message: 'The database failed' })
      expect(JSON.stringify(refusal)).not.toMatch(/password|postgres(ql)?:\/\//)
    })
  })

  describe('the wall between roles', () => {
    it('stands in every transport', async () => {
      expect((await one('auth', 'select current_user, session_user')).rows[0]?.[0]).toBe('auth')
      expect((await one('db', 'select current_user')).rows).toEqual([['db']])
    })

    it.each(ESCAPES)('is not passed by %j', async (sql) => {
      const alone = await under.execute('db', [{ sql }]).catch(({ code }: { code: string }) => code)
      const among = await under.execute('db', [entry('a'), { sql }, { sql: 'select count(*) from auth.keys' }]).catch(({ code }: { code: string }) => code)

      // A role of a real server may set what it may already be: nothing comes of it, but the reading that follows.
      expect([among, Array.isArray(alone) ? 'harmless' : alone]).toEqual([
        expect.stringMatching(/^(FORBIDDEN|INVALID)$/),
        expect.stringMatching(sql.includes('set_config') ? /^(FORBIDDEN|INVALID|harmless)$/ : /^(FORBIDDEN|INVALID)$/),
      ])
      expect((await one('db', 'select current_user')).rows).toEqual([['db']])
      expect(await keys()).toEqual([])
    })

    it('keeps what one call leaves in its session from the next', async () => {
      await one('db', `select set_config('leak.value', 'left', false), pg_advisory_lock(7)`).catch(() => undefined)

      const left = await Promise.all(Array.from({ length: 8 }, () => one('db', `select coalesce(nullif(current_setting('leak.value', true), ''), 'nothing')`)))

      expect(left.map(({ rows }) => rows)).toEqual(left.map(() => [['nothing']]))
    })
  })

  describe('a live transaction', () => {
    it('is done when it is committed', async () => {
      const outcomes = await under.begin('db', [['query', entry('a')], ['query', KEYS], ['query', entry('b')], ['commit']])

      expect(outcomes).toMatchObject([{ value: { rowCount: 1 } }, { value: { rows: [['a']] } }, { value: { rowCount: 1 } }, {}])
      expect(outcomes.some(({ error }) => error)).toBe(false)
      expect(await keys()).toEqual(['a', 'b'])
    })

    it.each([
      ['is rolled back', [['rollback']]],
      ['is let go', []],
    ] as [string, Step[]][])('is undone when it %s', async (_how, end) => {
      const outcomes = await under.begin('db', [['query', entry('a')], ...end])

      expect(outcomes.some(({ error }) => error)).toBe(false)
      expect(await keys()).toEqual([])
    })

    it('gives the same values as a batch, under the same role', async () => {
      const sql = `select current_user, 9007199254740993::int8, 1.10::numeric, '{"a": 1}'::jsonb, array['a', null], null, '\\x00ff'::bytea`

      const [live] = await under.begin('auth', [['query', { sql }]])
      const { rows, fields } = await one('auth', sql)

      expect(live?.value).toMatchObject({ rows, fields })
      expect(rows).toEqual([['auth', '9007199254740993', '1.10', { a: 1 }, ['a', null], null, '\\x00ff']])
    })

    it('changes nothing when it is to read only', async () => {
      const outcomes = await under.begin('db', [['query', entry('a')]], { readOnly: true })

      expect(outcomes).toMatchObject([{ error: { code: 'FORBIDDEN', details: [{ path: 'sqlstate', message: '25006' }] } }])
    })

    it('in which a statement failed can only be rolled back, and says so until it is', async () => {
      const outcomes = await under.begin('db', [
        ['query', entry('a')],
        ['query', entry('a')],
        ['query', KEYS],
        ['commit'],
        ['query', KEYS],
        ['rollback'],
        ['query', KEYS],
      ])

      expect(outcomes.map(({ error }) => error?.code ?? 'done')).toEqual(['done', 'CONFLICT', 'CONFLICT', 'CONFLICT', 'CONFLICT', 'done', 'CONFLICT'])
      expect(outcomes[1]).toMatchObject({ error: { details: [{ path: 'sqlstate', message: '23505' }, { path: 'constraint' }] } })
      for (const index of [2, 3, 4]) expect(outcomes[index]?.error?.message).toContain('can only be rolled back')
      expect(await keys()).toEqual([])
    })

    it.each([['commit'], ['rollback']] as const)('is over after its %s: every method is refused with CONFLICT', async (end) => {
      const outcomes = await under.begin('db', [[end], ['query', KEYS], ['commit'], ['rollback']])

      expect(outcomes.map(({ error }) => error?.code ?? 'done')).toEqual(['done', 'CONFLICT', 'CONFLICT', 'CONFLICT'])
    })

    it.each(ESCAPES)('does not let its role out by %j', async (sql) => {
      const outcomes = await under.begin('db', [['query', entry('a')], ['query', { sql }], ['query', { sql: 'select count(*) from auth.keys' }], ['commit']])

      expect(outcomes.at(2)?.error?.code).toMatch(/^(FORBIDDEN|CONFLICT)$/)
      expect(outcomes.at(3)?.error?.code).toBe('CONFLICT')
      expect(await keys()).toEqual([])
    })

    it('says when an answer is too large, and is then over', async () => {
      const outcomes = await under.begin('db', [
        ['query', entry('a')],
        ['query', { sql: `select repeat('x', 1000000) from generate_series(1, 100)` }],
        ['commit'],
      ])

      expect(outcomes).toMatchObject([{}, { error: { code: 'INVALID', details: [{ path: 'sqlstate', message: '54000' }] } }, { error: { code: 'CONFLICT' } }])
      expect(await keys()).toEqual([])
    })

    it('goes through beside others, one after another if need be', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          under.begin('db', [['query', entry(`${index}`)], ['query', { sql: 'select count(*) from db.ledger' }], ['commit']]),
        ),
      )

      expect(outcomes.flat().flatMap(({ error }) => (error ? [error] : []))).toEqual([])
      expect(await keys()).toHaveLength(8)
    })
  })

  it('goes on after the server was restarted, on every connection', async () => {
    await Promise.all(Array.from({ length: 8 }, () => one('db', 'select 1')))

    await under.restart()

    const given = await Promise.all(Array.from({ length: 8 }, () => one('db', 'select 1')))
    expect(given.map(({ rows }) => rows)).toEqual(given.map(() => [[1]]))
    expect(await under.begin('db', [['query', { sql: 'select 1' }], ['commit']])).toMatchObject([{ value: { rows: [[1]] } }, {}])
  })

  if (!isConcurrent) return
  it('says UNAVAILABLE to one of two that wait for each other, and does the other', async () => {
    await under.execute('db', [entry('a'), entry('b')])
    const touch = (key: string): Sql => ({ sql: `update db.ledger set input_hash = 'touched' where principal = 'suite' and key = $1`, params: [key] })
    const pause: Sql = { sql: 'select pg_sleep(0.5)' }

    const outcomes = await Promise.allSettled([under.execute('db', [touch('a'), pause, touch('b')]), under.execute('db', [touch('b'), pause, touch('a')])])

    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'UNAVAILABLE', details: [{ path: 'sqlstate', message: '40P01' }] },
    })
  })
}

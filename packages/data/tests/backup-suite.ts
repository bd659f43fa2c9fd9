import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { backupLines } from '../src/backup.ts'
import { readRecords } from '../src/backup-format.ts'
import type { OwnerSession } from '../src/backup-session.ts'
import { restoreRecords } from '../src/restore.ts'
import type { RestoreOptions, Restored } from '../src/restore.ts'

/** A database of the services `notes` and `tags`, as BACKUP_MIGRATIONS make them. */
export interface BackupGround {
  session: OwnerSession
  close(): Promise<void>
}

/** Every kind of value and table that a copy could get wrong. */
export const BACKUP_MIGRATIONS = {
  notes: {
    '0001_pages.sql': `
      create type notes.mood as enum ('good', 'bad');
      create table notes.pages (
        id text primary key, parent text references notes.pages (id), big bigint, exact numeric, number double precision, small real, at timestamptz, day date, span interval,
        moment timestamp, clock time, flag boolean, bytes bytea, document jsonb, raw json, texts text[], grid integer[][], mood notes.mood, address inet, code char(4),
        ranges int4range, doubled numeric generated always as (exact * 2) stored);
      create table notes.log (number bigint generated always as identity primary key, text text);
      create table notes.loose (one text, two integer);
      create table notes.pairs (b text, a integer, primary key (b, a));
      create table notes.empty (id integer primary key);
      create function notes.note() returns trigger language plpgsql as $$ begin insert into notes.log (text) values ('written ' || new.id); return new; end $$;
      create trigger note after insert on notes.pages for each row execute function notes.note();`,
  },
  tags: { '0001_tags.sql': 'create table tags.tags ("Odd ""name""" text primary key);' },
}

const FILL = [
  `insert into notes.pages (id, parent, big, exact, number, small, at, day, span, moment, clock, flag, bytes, document, raw, texts, grid, mood, address, code, ranges) values
    ('z', 'a', 9223372036854775807, 123456789012345678901234567890.123456789, 'NaN', '1e-45', '2026-11-21 10:00:00.123456+00', '0044-03-15 BC', '1 mon -2 days 03:04:05.000006',
      'infinity', '23:59:59.999999', true, '\\x00ff5c', '{"a": [1.0, 1e400, "\\u2028"], "": null}', ' {"b" : 1, "b":2} ', array['a"b', null, 'NULL', '', '\\', '{}'], '{{1,2},{3,null}}', 'good',
      '::1/64', 'ab', '[1,5)'),
    ('a', 'z', -9223372036854775808, 'NaN', '-0', '3.4e38', '-infinity', 'infinity', '-178000000 years', '0001-01-01 BC', '00:00', false, '', 'null', 'null', '{}', '{}', 'bad', '1.2.3.4', '', 'empty'),
    ('Ä', null, null, null, 2.2250738585072014e-308, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null),
    (e'line\\nfeed\\ttab\\r "quoted" \\\\ 漢字🙂 \\u2028', 'Ä', 0, -0.00, 'infinity', '-infinity', '9999-12-31 23:59:59.999999+14', null, null, null, null, null, null, '"text"', null, null, null, null, null, null, null)`,
  `insert into notes.loose values ('twice', 1), ('twice', 1), (null, null)`,
  `insert into notes.pairs values ('b', 2), ('B', 1), ('b', 1), ('ä', 0)`,
  `insert into tags.tags values ('one')`,
]

/** Everything a database says, as the lines of a backup. */
export async function linesFrom(session: OwnerSession): Promise<string[]> {
  const lines: string[] = []
  for await (const line of backupLines(session, { at: '2026-11-21T12:00:00.000Z' })) lines.push(line)
  return lines
}

/** Writes the lines of a backup into a database. */
export function restoreFrom(session: OwnerSession, lines: string[], options: RestoreOptions = {}): Promise<Restored> {
  return restoreRecords(session, readRecords(streamed(lines)), options)
}

/** Fills a database with the rows that are hard to copy. */
export async function fill(session: OwnerSession): Promise<void> {
  for (const sql of FILL) await session.query(sql)
}

async function* streamed(lines: string[]): AsyncGenerator<string> {
  yield* lines
}

/** All but the first line, which tells the engine, and the last, which is its hash. */
export const rowsOf = (lines: string[]): string[] => lines.slice(1, -1)

/** What a backup promises, shown on one engine. `open` gives a migrated database without rows each time. */
// long: a suite, which runs against every engine
export function backupSuite(open: () => Promise<BackupGround>): void {
  let source: BackupGround
  let target: BackupGround
  let lines: string[]
  beforeAll(async () => {
    source = await open()
    await fill(source.session)
    lines = await linesFrom(source.session)
  }, 60_000)
  beforeEach(async () => {
    target = await open()
  }, 60_000)
  afterEach(() => target.close())
  afterAll(() => source.close())

  it('brings every value of every type back as it was', async () => {
    const { tables, leftOut } = await restoreFrom(target.session, lines)
    const again = await linesFrom(target.session)

    expect(again).toEqual(lines)
    expect(tables).toContainEqual({ table: 'notes.pages', rows: 4 })
    expect(leftOut).toEqual([])
    const { rows } = await target.session.query(`select big, at, document, bytes, doubled from notes.pages where id = 'z'`)
    expect(rows).toEqual([
      ['9223372036854775807', expect.stringContaining('.123456'), expect.stringContaining('1.0'), '\\x00ff5c', '246913578024691357802469135780.246913578'],
    ])
    const exact = await target.session.query(`select number from notes.pages where id = 'Ä'`)
    expect(exact.rows).toEqual([['2.2250738585072014e-308']])
  })

  it('fires no triggers, and lets sequences go on where they were', async () => {
    await restoreFrom(target.session, lines)

    await target.session.query(`insert into notes.log (text) values ('next')`)

    const { rows } = await target.session.query('select number, text from notes.log order by 1')
    expect(rows.map(([number]) => number)).toEqual(['1', '2', '3', '4', '5'])
    expect(rows.map(([, text]) => text)).toEqual([expect.stringMatching(/^written/), expect.anything(), expect.anything(), expect.anything(), 'next'])
  })

  it('keeps rows that are there unless it is told to replace them', async () => {
    await target.session.query(`insert into notes.pairs values ('mine', 1)`)
    await target.session.query(`insert into notes.log (text) select 'mine' from generate_series(1, 20)`)

    const refused = restoreFrom(target.session, lines)

    await expect(refused).rejects.toThrow(/has rows, in notes\.log and 1 more tables; --replace/)
    expect((await target.session.query('select b from notes.pairs')).rows).toEqual([['mine']])
    await restoreFrom(target.session, lines, { replace: true })
    expect(await linesFrom(target.session)).toEqual(lines)
  })

  it.each([
    ['lacks', `delete from platform.migrations where service = 'tags'`, /the database lacks tags\/migrations\/0001_tags\.sql/],
    ['has more', `insert into platform.migrations values ('tags', '0002_more.sql', 'x')`, /the backup lacks tags\/migrations\/0002_more\.sql/],
    ['changed', `update platform.migrations set sha256 = 'x' where service = 'tags'`, /tags\/migrations\/0001_tags\.sql is another file/],
  ])('refuses a database that %s a migration, and says which', async (_how, sql, message) => {
    await target.session.query(sql)

    await expect(restoreFrom(target.session, lines)).rejects.toThrow(message)

    expect((await target.session.query('select * from tags.tags')).rows).toEqual([])
  })

  it('changes nothing when the file is cut after any line', async () => {
    const before = await linesFrom(target.session)

    for (let kept = 0; kept < lines.length; kept++) {
      await expect(restoreFrom(target.session, lines.slice(0, kept)), `${kept} lines`).rejects.toThrow(/cut off/)
    }

    expect(await linesFrom(target.session)).toEqual(before)
  })

  it('changes nothing when a line was changed, left out, doubled or moved', async () => {
    const before = await linesFrom(target.session)
    const row = lines.findIndex((line) => line.startsWith('["twice"'))
    const other = (index: number, text: string): string[] => lines.with(index, text)
    const damaged = [
      other(row, '["twice","2"]'),
      other(row, '["twice"]'),
      other(row, '["twice",1]'),
      other(row, '[["twice"],"1"]'),
      other(row, '{"row":1}'),
      other(row, '["twice","1"'),
      lines.toSpliced(row, 1),
      lines.toSpliced(row, 0, lines[row] ?? ''),
      lines.toSpliced(row, 1, lines[row + 2] ?? '', lines[row] ?? ''),
      lines.toSpliced(-2, 1),
      [...lines, ...lines],
      other(lines.length - 2, (lines.at(-2) ?? '').replace(/"next":"(\d+)"/, '"next":"1$1"')),
      other(0, (lines[0] ?? '').replace('2026-11-21', '2026-11-20')),
      other(0, '{"format":"other"}'),
      other(0, (lines[0] ?? '').replace('"version":1', '"version":2')),
    ]

    for (const [index, one] of damaged.entries()) await expect(restoreFrom(target.session, one), `damage ${index}`).rejects.toThrow(/[Bb]ackup/)

    expect(await linesFrom(target.session)).toEqual(before)
  })

  it('leaves out a table whose type the database does not know, and refuses one that is merely different', async () => {
    await target.session.query('drop table notes.pages cascade')
    await expect(restoreFrom(target.session, lines)).rejects.toThrow('notes.pages is not here as it is in the backup')
    await target.session.query('drop type notes.mood')

    const { leftOut } = await restoreFrom(target.session, lines)

    expect(leftOut).toEqual([{ table: 'notes.pages', rows: 4 }])
    expect((await target.session.query('select one from notes.loose')).rows).toEqual([['twice'], ['twice'], [null]])
  })

  it('ends when it is told to, with nothing changed', async () => {
    const before = await linesFrom(target.session)
    const stop = new AbortController()

    const stopped = restoreFrom(target.session, lines, { signal: stop.signal, onProgress: () => stop.abort(new Error('Stopped')) })

    await expect(stopped).rejects.toThrow('Stopped')
    expect(await linesFrom(target.session)).toEqual(before)
  })

  it('copies tables of more rows than one page, whatever their size', async () => {
    await target.session.query(`insert into tags.tags select lpad(n::text, 8, '0') || repeat('x', (n % 7) * 3000) from generate_series(1, 1500) n`)
    const many = await linesFrom(target.session)

    await restoreFrom(target.session, many, { replace: true })

    expect(await linesFrom(target.session)).toEqual(many)
    expect(many.length).toBeGreaterThan(1500)
  })
}

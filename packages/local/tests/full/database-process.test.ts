import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startEmbeddedProcess } from '../../src/database/embedded-process.ts'
import type { EmbeddedProcess } from '../../src/database/embedded-process.ts'
import { openDatabase } from '../../src/database/open.ts'
import { connect, roleSecret, state } from '../database/services.ts'
import type { State } from '../database/services.ts'

/** Log lines, and a promise for the first that says something. */
class Log {
  readonly lines: string[] = []
  readonly #waiting: { text: string; resolve: () => void }[] = []

  add(line: string): void {
    this.lines.push(line)
    for (const { text, resolve } of this.#waiting) if (line.includes(text)) resolve()
  }

  says(text: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ text, resolve }))
  }
}

let files: State
let log: Log
let database: EmbeddedProcess
let url: string

const start = async (queryLimitMs: number): Promise<void> => {
  database = await startEmbeddedProcess({ dir: files.dir, roleSecret, services: files.services, queryLimitMs, onLog: (line) => log.add(line) })
  url = `http://127.0.0.1:${database.port}`
}

beforeEach(async () => {
  files = await state()
  log = new Log()
  await start(1_000)
}, 60_000)
afterEach(async () => {
  await database.close()
  await files.remove()
})

describe('the embedded database in its process', { timeout: 180_000 }, () => {
  it('keeps its rows from one start to the next', async () => {
    const sql = await connect(url, 'notes')
    await sql`insert into pages values ('kept', 'text')`

    await database.close()
    await start(1_000)

    expect(await (await connect(url, 'notes'))`select * from pages`).toEqual([{ id: 'kept', text: 'text' }])
  })

  it('kills a query that never ends, and opens again on the same port with every row', async () => {
    const sql = await connect(url, 'notes')
    await sql`insert into pages values ('kept', 'text')`
    const opens = log.says('open again')

    const endless = sql`select count(*) from generate_series(1, 1000000000000)`

    await expect(endless).rejects.toThrow('Error connecting to database')
    await opens
    expect(await sql`select id from pages`).toEqual([{ id: 'kept' }])
    expect(log.lines.join('\n')).toContain('a query held the database for more than 1000 ms')
  })

  it('loses no row it acknowledged when it is killed in the middle of writes', async () => {
    const sql = await connect(url, 'notes')
    const opens = log.says('open again')
    const acknowledged: string[] = []
    const write = async (): Promise<void> => {
      for (let index = 0; ; index++) {
        await sql`insert into pages values (${`page ${index}`})`
        acknowledged.push(`page ${index}`)
        if (index === 50) process.kill(database.pid() ?? 0, 'SIGKILL')
      }
    }

    await expect(write()).rejects.toThrow('Error connecting to database')
    await opens

    const kept = (await sql`select id from pages`).map(({ id }) => id)
    expect(acknowledged.length).toBeGreaterThan(50)
    expect(kept).toEqual(expect.arrayContaining(acknowledged))
  })

  it('refuses a directory that another process has, and names it', async () => {
    const second = openDatabase({ dir: files.dir, roleSecret, services: files.services })

    await expect(second).rejects.toThrow(`is in use by process ${database.pid()}`)
    expect(await (await connect(url, 'notes'))`select 1 as one`).toEqual([{ one: 1 }])
  })

  it('lets a migration take longer than a query may', async () => {
    await writeFile(join(files.services[0]?.folder ?? '', 'migrations', '0002_slow.sql'), 'select pg_sleep(2.5); create table notes.slow ()')

    const { applied } = await database.migrate(files.services)

    expect(applied).toEqual([{ service: 'notes', name: '0002_slow.sql' }])
    expect(log.lines).not.toContain('the database is open again')
    expect(await (await connect(url, 'notes'))`select * from slow`).toEqual([])
  })

  it('says what is wrong with a migration, and goes on with what it has', async () => {
    await writeFile(join(files.services[0]?.folder ?? '', 'migrations', '0001_pages.sql'), 'select 1')

    await expect(database.migrate(files.services)).rejects.toThrow('notes/migrations/0001_pages.sql was changed')
    expect(await (await connect(url, 'notes'))`select 1 as one`).toEqual([{ one: 1 }])
  })
})

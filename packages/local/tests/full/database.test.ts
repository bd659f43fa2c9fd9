import { startStockPostgres } from '@dot-do/worker-data/stock-postgres'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openDatabase } from '../../src/database/open.ts'
import { connect, roleSecret, state } from '../database/services.ts'

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Asks a hundred times in ten seconds at most. */
async function untilGone(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 100 && isAlive(pid); attempt++) await delay(100)
  return !isAlive(pid)
}

it.each([
  ['idle', undefined],
  ['held by a query that never ends', 'select count(*) from generate_series(1, 1000000000000)'],
])('leaves no database process behind when its parent is killed while it is %s', async (_what, query) => {
  const files = await state()
  const script = fileURLToPath(new URL('./database-parent.ts', import.meta.url))
  const parent = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script, files.dir, files.services[0]?.folder ?? '', roleSecret], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface(parent.stdout), 'line')
  const { pid, port } = JSON.parse(String(line))
  const sql = await connect(`http://127.0.0.1:${port}`, 'notes')
  await sql`insert into pages values ('kept')`
  const held = query === undefined ? undefined : sql.query(query).catch((error: unknown) => error)

  parent.kill('SIGKILL')
  await once(parent, 'exit')

  expect(await untilGone(pid)).toBe(true)
  await held
  const again = await openDatabase({ dir: files.dir, roleSecret, services: files.services })
  expect(await (await connect(again.url, 'notes'))`select id from pages`).toEqual([{ id: 'kept' }])
  await again.close()
  await files.remove()
})

it('serves any PostgreSQL by URL, to the same driver', async () => {
  const files = await state()
  const stock = await startStockPostgres()
  const lines: string[] = []
  const database = await openDatabase({ dir: files.dir, databaseUrl: stock.url, roleSecret, services: files.services, onLog: (line) => lines.push(line) })
  const sql = await connect(database.url, 'notes')

  const [inserted] = await sql.transaction([sql`insert into pages values ('a', 'text') returning *`, sql`select 1`])
  const stranger = await connect(database.url, 'notes', 'wrong')

  expect(database.engine).toBe('postgres')
  expect(lines).toEqual(['migrated notes: 0001_pages.sql'])
  expect(inserted).toEqual([{ id: 'a', text: 'text' }])
  await expect(stranger`select 1`).rejects.toMatchObject({ code: '28P01' })
  await expect(sql.query('select 1; select 2')).rejects.toMatchObject({ code: '42601' })
  await database.close()
  await stock.stop()
  await files.remove()
})

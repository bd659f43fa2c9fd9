import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { postgresEngine } from '../../src/engines/postgres.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { migrate } from '../../src/migrations.ts'
import { rolePassword } from '../../src/role-password.ts'
import { startStockPostgres } from '../../src/stock-postgres.ts'
import type { StockPostgres } from '../../src/stock-postgres.ts'
import { workspace } from '../workspace.ts'

const roleSecret = 'the secret of the stock suite'
let stock: StockPostgres
let engine: Engine

beforeAll(async () => {
  stock = await startStockPostgres()
  engine = postgresEngine({ url: stock.url, passwordOf: (role) => rolePassword(roleSecret, role) })
  const folders = await workspace({ notes: { '0001_pages.sql': 'create table notes.pages (id text primary key)' } })
  await migrate(engine, folders.services, { roleSecret })
  await folders.remove()
}, 60_000)
afterAll(async () => {
  await engine.close()
  await stock.stop()
})

it('runs again after the server restarts, with every row it acknowledged', async () => {
  await engine.batch('notes', [{ sql: `insert into pages values ('kept')`, params: [] }])

  await stock.restart()
  const [result] = await engine.batch('notes', [{ sql: 'select id from pages', params: [] }])

  expect(result?.rows).toEqual([['kept']])
})

it('ends a statement that takes longer than it may, and undoes the batch', async () => {
  const insert = { sql: `insert into pages values ('undone')`, params: [] }

  const refused = engine.batch('notes', [insert, { sql: 'select pg_sleep(30)', params: [] }], { timeoutMs: 50 })

  await expect(refused).rejects.toMatchObject({ code: '57014' })
  expect((await engine.batch('notes', [{ sql: `select * from pages where id = 'undone'`, params: [] }]))[0]?.rows).toEqual([])
})

it('serves more batches at once than it has connections', async () => {
  const batches = await Promise.all(Array.from({ length: 40 }, (_, index) => engine.batch('notes', [{ sql: 'select $1::int', params: [index] }])))

  expect(batches.map(([result]) => result?.rows[0]?.[0])).toEqual(Array.from({ length: 40 }, (_, index) => String(index)))
})

it('gives up on a server that accepts and never answers', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const deaf = postgresEngine({ url: `postgresql://owner:owner@127.0.0.1:${port}/postgres`, passwordOf: async () => '' })

  const refused = deaf.batch(null, [{ sql: 'select 1', params: [] }])

  await expect(refused).rejects.toMatchObject({ code: '08006' })
  await deaf.close()
  silent.close()
}, 20_000)

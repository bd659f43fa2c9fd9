import { join } from 'node:path'
import { startStockPostgres, type StockPostgres } from '@dot-do/worker-data/stock-postgres'
import { bundle } from '@dot-do/worker-local/host/bundle'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, it } from 'vitest'

let stock: StockPostgres
let runtime: Miniflare

beforeAll(async () => {
  stock = await startStockPostgres()
  const folder = import.meta.dirname
  const config = { name: 'worker', main: 'hyperdrive-worker.ts', compatibility_date: '2026-11-01' }
  const { code } = await bundle({ name: 'worker', folder, main: join(folder, config.main), configFile: '', config }, { minify: false })
  runtime = new Miniflare({
    cf: false,
    workers: [
      {
        config: {
          name: 'worker',
          compatibilityDate: config.compatibility_date,
          manifest: { mainModule: 'worker.js', modules: { 'worker.js': { type: 'esm', contents: code } } },
          env: {
            DATABASE_TRANSPORT: { type: 'text', value: 'tcp' },
            DATABASE_URL: { type: 'text', value: 'postgres://nowhere.invalid/main' },
            DB_ROLE_SECRET: { type: 'text', value: 'no role here has a password of it' },
            HYPERDRIVE_OWNER: { type: 'hyperdrive', id: 'owner', dev: { connectionString: stock.url } },
            Connections: { type: 'durable-object', worker: 'worker', exportName: 'Connections' },
          },
          exports: { Connections: { type: 'durable-object', storage: 'sqlite' } },
        },
      },
    ],
  })
  await runtime.ready
}, 120_000)
afterAll(async () => {
  await runtime.dispose()
  await stock.stop()
})

async function ask(role: string, sql: string): Promise<unknown> {
  const worker = await runtime.getWorker('worker')
  return (await worker.fetch('http://worker/', { method: 'POST', body: JSON.stringify({ role, sql }) })).json()
}

it('a role with a Hyperdrive of its own reaches PostgreSQL through it, and no other role does', async () => {
  expect(await ask('owner', `select current_user, 1.10::numeric`)).toMatchObject({ rows: [['owner', '1.10']] })
  expect(await ask('db', 'select 1')).toMatchObject({ code: 'UNAVAILABLE', message: 'The database cannot be reached' })
})

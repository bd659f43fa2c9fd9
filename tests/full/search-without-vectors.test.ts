import { postgresEngine } from '@dot-do/worker-data/engines/postgres'
import type { Engine } from '@dot-do/worker-data/engines/engine'
import { startStockPostgres, type StockPostgres } from '@dot-do/worker-data/stock-postgres'
import { startPlatform, type Platform } from '@dot-do/worker-local/host/platform'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stateDirectory } from './dev-program.ts'
import { adminFetch } from './platform.ts'
import { ROOT } from './program.ts'

let stock: StockPostgres
let state: Awaited<ReturnType<typeof stateDirectory>>
let platform: Platform
let owner: Engine

/** On a PostgreSQL as Debian has it, without pgvector. */
beforeAll(async () => {
  stock = await startStockPostgres()
  state = await stateDirectory()
  owner = postgresEngine({ url: stock.url, passwordOf: () => Promise.reject(new Error('only the owner asks')) })
  platform = await startPlatform({ root: ROOT, stateDir: state.dir, port: 0, databaseUrl: stock.url })
})
afterAll(async () => {
  await owner.close()
  await platform.stop()
  await state.remove()
  await stock.stop()
})

async function ask(path: string, body?: unknown): Promise<{ status: number; data: Record<string, unknown>; error: { code: string; message: string } }> {
  const answer = await adminFetch({ url: platform.url, adminKey: platform.admin?.adminKey ?? '' }, path, body)
  return { status: answer.status, ...((await answer.json()) as { data: Record<string, unknown>; error: { code: string; message: string } }) }
}

async function owned(sql: string): Promise<(string | null)[][]> {
  const [result] = await owner.batch(null, [{ sql, params: [] }])
  return result?.rows ?? []
}

describe('a server without pgvector', () => {
  it('gets every table but that of embeddings', async () => {
    expect(await owned(`select to_regclass('db.things') is not null, to_regclass('db.embeddings') is not null`)).toEqual([['t', 'f']])
  })

  it('is searched by words, unless told otherwise', async () => {
    await ask('/db/things', { $type: 'Note', $id: 'search/zebra', content: 'A zebra has stripes.' })

    expect(await ask('/db/search?q=stripes')).toMatchObject({
      status: 200,
      data: { mode: 'fullText', model: null, items: [{ thing: { $id: 'search/zebra' } }] },
    })
  })

  it.each(['/db/search?q=zebra&mode=vector', '/db/search?q=zebra&mode=hybrid'])('answers %s with what is missing and what to do', async (path) => {
    const { status, error } = await ask(path)

    expect([status, error.code]).toEqual([503, 'UNAVAILABLE'])
    expect(error.message).toMatch(/pgvector.*call db\.add_vectors\(\)/)
  })

  it('makes no embeddings and says so; writes go on', async () => {
    const [one, all] = [await ask('/db/embeddings', { id: 'search/zebra' }), await ask('/db/maintenance/embeddings', {})]
    const written = await ask('/db/things', { $type: 'Note', $id: 'search/heron', content: 'A heron.' })

    expect([one.error.code, all.error.code, written.status]).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 201])
  })

  it('lets its owner call db.add_vectors, which then changes nothing, and nobody else', async () => {
    await owned('call db.add_vectors()')

    expect(await owned(`select to_regclass('db.embeddings') is not null, has_function_privilege('db', 'db.add_vectors()', 'execute')`)).toEqual([['f', 'f']])
  })
})

import { createHash } from 'node:crypto'
import { access, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Db } from '../../packages/contracts/src/db.ts'
import { embeddedEngine } from '../../packages/data/src/engines/embedded.ts'
import type { Engine } from '../../packages/data/src/engines/engine.ts'
import { migrate } from '../../packages/data/src/migrations.ts'
import { startDatabaseServer } from '@dot-do/worker-local/database/server'
import { acquireStateLock } from '@dot-do/worker-local/state-lock'
import { binding } from '../../db/tests/in-process.ts'
import type { Env } from '../../db/src/env.ts'
import { service } from '../../db/src/service.ts'
import { leaving } from '../leavings.ts'
import { fill } from './fill.ts'
import { syntheticThings } from './synthetic.ts'

/** db in this process, over a database that is full. */
export interface FullDatabase {
  db: Db
  /** The engine, for what only the owner may do. */
  engine: Engine
  close(): Promise<unknown>
}

const CACHE = join(import.meta.dirname, '../node_modules/.cache/search')
const VOCABULARY = join(import.meta.dirname, 'vocabulary.txt')
const ENGINE = 'packages/data/node_modules/@electric-sql'
const MADE_BY = [
  'bench/search/synthetic.ts',
  'bench/search/vocabulary.txt',
  'bench/search/fill.ts',
  'db/src/embedder.ts',
  `${ENGINE}/pglite/package.json`,
  `${ENGINE}/pglite-pgvector/package.json`,
]

const ROLE_SECRET = 'the role secret of bench'

/** The words that synthetic things are made of: those of this repository's documentation, the most frequent first. */
export async function vocabulary(): Promise<string[]> {
  return (await readFile(VOCABULARY, 'utf8')).trim().split(/\s+/)
}

/**
 * Opens a database of synthetic things with embeddings of all. Building it takes minutes, so it is kept, until what made it changes; then the former one goes.
 */
export async function openFullDatabase(root: string, things: number): Promise<FullDatabase> {
  const lock = await acquireStateLock(CACHE)
  const forget = leaving(() => Promise.resolve(lock.release()))
  const dir = join(CACHE, await keyOf(root, things))
  const mark = join(dir, 'complete')
  const isComplete = await access(mark).then(
    () => true,
    () => false,
  )
  if (!isComplete) await clear()
  const services = [{ name: 'db', folder: join(root, 'db') }]
  const engine = await embeddedEngine({ dir })
  await migrate(engine, services, { roleSecret: ROLE_SECRET })
  if (!isComplete) {
    await fill(engine, syntheticThings(await vocabulary(), things))
    await writeFile(mark, '')
  }
  const server = await startDatabaseServer({ engine, services, roleSecret: ROLE_SECRET })
  const close = leaving(async () => {
    await server.close()
    await engine.close()
    await forget()
  })
  return { db: binding(service, envAt(server.port), { principal: { id: 'bench', permissions: ['*'] } }), engine, close }
}

function envAt(port: number): Env {
  return {
    ...({} as Pick<Env, 'Connections' | 'ChangeWatches' | 'EventSpools' | 'DB_BUCKET'>), // Durable Objects are there on workerd only; searching needs none
    KEY_MODE: 'test',
    DATABASE_TRANSPORT: 'http',
    DATABASE_URL: 'postgres://database.localhost/platform',
    DB_ROLE_SECRET: ROLE_SECRET,
    DATABASE: { fetch: (_url: string, init: RequestInit) => fetch(`http://127.0.0.1:${port}/sql`, init) } as unknown as NonNullable<Env['DATABASE']>, // of a binding the driver uses nothing but fetch
  }
}

async function keyOf(root: string, things: number): Promise<string> {
  const migrations = (await readdir(join(root, 'db/migrations'))).sort().map((name) => join(root, 'db/migrations', name))
  const files = [...migrations, ...MADE_BY.map((path) => join(root, path))]
  const hash = createHash('sha256').update(String(things))
  for (const file of files) hash.update(await readFile(file))
  return hash.digest('hex').slice(0, 16)
}

/** Whatever was built before, complete or not. The lock's own files stay. */
async function clear(): Promise<void> {
  const names = await readdir(CACHE, { withFileTypes: true })
  for (const name of names) if (name.isDirectory()) await rm(join(CACHE, name.name), { recursive: true })
}

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPlatform } from '@dot-do/worker-local/host/platform'
import { request } from 'undici'
import { leaving } from './leavings.ts'
import { cpuNs, descendants, pin } from './processes.ts'
import { CONNECTIONS, type Extent } from './slices.ts'
import { median } from './statistics.ts'

/** What reading of 100,000 things costs over RPC, in calls a second, 16 at a time, from within one request. */
export interface ReadFigures {
  things: number
  /** A bare method that fetches from a bare HTTP server of this machine. */
  bare: RunFigures
  /** `db.get` of one of the things. */
  get: RunFigures
  /** `db.execute` of one statement that reads a thing by its key, and of two. */
  single: RunFigures
  pair: RunFigures
  /** Medians over the rounds. */
  getToBare: number
  pairToSingle: number
}

interface RunFigures {
  rate: number
  /** CPU per call in the best round. */
  workerdUs: number
  databaseUs: number
}

type Name = 'bare' | 'get' | 'single' | 'pair'

const THINGS = 100_000
const CALLS = 4_000
const NAMES: Name[] = ['bare', 'get', 'single', 'pair']

const BARE = `
import { WorkerEntrypoint } from 'cloudflare:workers'
export class BareReader extends WorkerEntrypoint {
  async get(_input) {
    const answer = await this.env.SERVER.fetch('http://server/')
    return answer.json()
  }
}
export default { fetch: () => new Response(null, { status: 404 }) }`

const LOOP = `
const SELECT = 'select db.thing_json(t) from db.things t where ns = $1 and id = $2'
const CALLS = {
  bare: (env, id) => env.BARE.get({ id }),
  get: (env, id) => env.DB.get({ id }),
  single: (env, id) => env.DB.execute({ statements: [{ sql: SELECT, params: ['default', id] }] }),
  pair: (env, id, other) => env.DB.execute({ statements: [{ sql: SELECT, params: ['default', id] }, { sql: SELECT, params: ['default', other] }] }),
  fill: (env, id) => env.DB.execute({ statements: [{ sql: id, params: [] }] }),
}
export default {
  async fetch(request, env) {
    const { name, calls, lanes, things, sql } = await request.json()
    if (sql) return Response.json(await CALLS.fill(env, sql))
    let left = calls
    const any = () => 'bench/' + Math.floor(Math.random() * things)
    const lane = async () => {
      while (left-- > 0) await CALLS[name](env, any(), any())
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return new Response(null)
  },
}`

/** Puts 100,000 things into a platform of its own and reads them. */
export async function measureReads(root: string, { rounds }: Pick<Extent, 'rounds'>): Promise<ReadFigures> {
  const server = await startBareServer()
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-bench-'))
  const forget = leaving(() => rm(stateDir, { recursive: true, force: true }))
  const principal = { id: 'db', permissions: ['things:read', 'db:execute'] }
  const extraWorkers = [
    { name: 'bench-bare-reader', source: BARE, servers: { SERVER: `127.0.0.1:${server.port}` } },
    {
      name: 'bench-reader',
      source: LOOP,
      bindings: { BARE: { service: 'bench-bare-reader', entrypoint: 'BareReader' }, DB: { service: 'db', entrypoint: 'DbService', props: { principal } } },
      listens: true,
    },
  ]
  const platform = await startPlatform({ root, stateDir, port: 0, extraWorkers })
  const end = leaving(() => platform.stop())
  try {
    const { workerd = 0 } = await platform.pids()
    const database = descendants(process.pid, 'database/child')
    for (const [pid, core] of [[workerd, 0], ...[...database, server.pid, process.pid].map((pid) => [pid, 1] as const)] as const) pin(pid, core)
    const ask = (body: object) => post(platform.workerUrls['bench-reader'] ?? '', body)
    for (let first = 0; first < THINGS; first += 10_000) await ask({ sql: fillFrom(first, 10_000) })
    return await readInTurns({ ask, rounds, workerd, database })
  } finally {
    server.stop()
    await end().finally(forget)
  }
}

interface Reading {
  ask: (body: object) => Promise<void>
  rounds: number
  workerd: number
  database: number[]
}

async function readInTurns({ ask, rounds, workerd, database }: Reading): Promise<ReadFigures> {
  const used = () => ({ workerd: cpuNs(workerd), database: database.map(cpuNs).reduce((sum, ns) => sum + ns, 0) })
  const run = async (name: Name): Promise<RunFigures> => {
    const [before, start] = [used(), performance.now()]
    await ask({ name, calls: CALLS, lanes: CONNECTIONS, things: THINGS })
    const [after, elapsedMs] = [used(), performance.now() - start]
    const each = (part: 'workerd' | 'database') => (after[part] - before[part]) / 1000 / CALLS
    return { rate: (CALLS * 1000) / elapsedMs, workerdUs: each('workerd'), databaseUs: each('database') }
  }
  for (const name of NAMES) await run(name)
  const taken: Record<Name, RunFigures>[] = []
  for (let round = 0; round < rounds; round++) {
    const runs: Partial<Record<Name, RunFigures>> = {}
    for (const name of round % 2 === 0 ? NAMES : NAMES.toReversed()) runs[name] = await run(name)
    taken.push(runs as Record<Name, RunFigures>) // the line above made every name's
  }
  const of = (name: Name): RunFigures => ({
    rate: median(taken.map((runs) => runs[name].rate)),
    workerdUs: Math.min(...taken.map((runs) => runs[name].workerdUs)),
    databaseUs: Math.min(...taken.map((runs) => runs[name].databaseUs)),
  })
  const ratio = (name: Name, reference: Name) => median(taken.map((runs) => runs[name].rate / runs[reference].rate))
  const [bare, get, single, pair] = [of('bare'), of('get'), of('single'), of('pair')]
  return { things: THINGS, bare, get, single, pair, getToBare: ratio('get', 'bare'), pairToSingle: ratio('pair', 'single') }
}

function fillFrom(first: number, count: number): string {
  return `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
    select 'default', 'bench/' || n, 'Bench', 'A thing of the size that notes have, to be read again and again, number ' || n, jsonb_build_object('n', n, 'tags', '["bench"]'::jsonb), 'private', 1, now(), now()
    from generate_series(${first}, ${first + count - 1}) n`
}

async function post(url: string, body: object): Promise<void> {
  const answer = await request(url, { method: 'POST', body: JSON.stringify(body), headersTimeout: 120_000 })
  const text = await answer.body.text()
  if (answer.statusCode !== 200 && answer.statusCode !== 204) throw new Error(`The reader answered ${answer.statusCode}: ${text}`)
}

/** A server in a process of its own, as the database's is. */
async function startBareServer(): Promise<{ port: number; pid: number; stop: () => void }> {
  const child = fork(fileURLToPath(new URL('./bare-server.ts', import.meta.url)))
  const [port] = (await once(child, 'message')) as [number] // the only thing it ever says
  return { port, pid: child.pid ?? 0, stop: () => child.disconnect() }
}

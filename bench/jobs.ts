import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startStockPostgres } from '@dot-do/worker-data/stock-postgres'
import { startPlatform, type Platform } from '@dot-do/worker-local/host/platform'
import pg from 'pg'
import { request } from 'undici'
import { ownQueue, peerQueue, timeOf, type JobQueue } from './job-queues.ts'
import { leaving, proceed } from './leavings.ts'
import { latencyOf, median, type Latency } from './statistics.ts'
import { measureTasks, type TaskFigures } from './tasks.ts'

/** What work that waits, and work at a time, costs. */
export interface JobFigures {
  /** From the first call that enqueues until each job has had its effect, on one stock PostgreSQL for both. */
  ownPerSecond: number
  peerPerSecond: number
  /** The median of the rounds’ ratios. */
  ratioToPeer: number
  /** From a job’s enqueueing to the beginning of its run, one job after another. */
  start: Latency
  tasks: TaskFigures
}

const ROUNDS = 3
const COUNT = 5_000
const WARM_UP = 1_000
const SINGLE_JOBS = 200

/** Where both queues are: a platform of its own, on a PostgreSQL of its own. */
interface Stage {
  platform: Platform
  url: string
  key: string
  databaseUrl: string
}

/** Measures queue and schedule on a platform of their own. */
export async function measureJobs(root: string): Promise<JobFigures> {
  proceed()
  const stock = await startStockPostgres()
  const endStock = leaving(stock.stop)
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-bench-'))
  const forget = leaving(() => rm(stateDir, { recursive: true, force: true }))
  const starting = startPlatform({ root, stateDir, port: 0, databaseUrl: stock.url })
  const end = leaving(async () => (await starting).stop())
  try {
    const platform = await starting
    const url = `http://127.0.0.1:${platform.port}`
    const stage = { platform, url, key: await keyOf(platform, url), databaseUrl: stock.url }
    const throughput = await measureThroughput(stage)
    return { ...throughput, start: await measureStart(stage), tasks: await measureTasks(stage) }
  } finally {
    await end().finally(endStock).finally(forget)
  }
}

async function keyOf({ admin }: Platform, url: string): Promise<string> {
  const { key } = await post({ url, key: admin?.adminKey ?? '' }, '/auth/apikeys', { name: 'bench', permissions: ['*'], limitPerMinute: 10_000_000 })
  return String(key)
}

/** By turns, in reversed order every other round. */
async function measureThroughput({ url, key, databaseUrl }: Stage): Promise<Pick<JobFigures, 'ownPerSecond' | 'peerPerSecond' | 'ratioToPeer'>> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  const queues = { own: ownQueue(url, key), peer: await peerQueue(databaseUrl) }
  const perSecond = async (name: keyof typeof queues, prefix: string, count: number) =>
    (count * 1_000) / (await timeOf(queues[name], { prefix: `${name}/${prefix}`, count, client }))
  try {
    for (const name of ['own', 'peer'] as const) await perSecond(name, 'warm', WARM_UP)
    const rounds: { own: number; peer: number }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const order = round % 2 === 0 ? (['own', 'peer'] as const) : (['peer', 'own'] as const)
      const rates = { own: 0, peer: 0 }
      for (const name of order) rates[name] = await perSecond(name, String(round), COUNT)
      rounds.push(rates)
    }
    return {
      ownPerSecond: median(rounds.map(({ own }) => own)),
      peerPerSecond: median(rounds.map(({ peer }) => peer)),
      ratioToPeer: median(rounds.map(({ own, peer }) => own / peer)),
    }
  } finally {
    await stopped(Object.values(queues))
    await client.end()
  }
}

async function stopped(queues: JobQueue[]): Promise<void> {
  for (const queue of queues) await queue.stop()
}

async function measureStart(stage: Stage): Promise<Latency> {
  const waits: number[] = []
  for (let n = 0; n < SINGLE_JOBS; n++) {
    const { id, createdAt } = await post(stage, '/queue/jobs', { type: 'db.upsert', payload: { $id: `start/${n}`, $type: 'Job' } })
    waits.push(Date.parse(await startOf(stage, String(id))) - Date.parse(String(createdAt)))
  }
  return latencyOf(waits)
}

async function startOf({ url, key }: Stage, id: string): Promise<string> {
  for (let look = 0; look < 1_000; look++) {
    const { body } = await request(`${url}/queue/jobs/${id}`, { headers: { authorization: `Bearer ${key}` } })
    const { data } = (await body.json()) as { data: { startedAt?: string; finishedAt?: string } }
    if (data.startedAt !== undefined && data.finishedAt !== undefined) return data.startedAt
    await delay(10)
  }
  throw new Error(`The job ${id} does not end`)
}

async function post({ url, key }: Pick<Stage, 'url' | 'key'>, path: string, input: unknown): Promise<Record<string, unknown>> {
  const { statusCode, body } = await request(url + path, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(input) })
  const { data, error } = (await body.json()) as { data?: Record<string, unknown>; error?: { message: string } }
  if (!data) throw new Error(`POST ${path}: ${statusCode} ${error?.message}`)
  return data
}

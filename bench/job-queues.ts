import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { Agent, request } from 'undici'

/** A queue whose jobs each write one thing. */
export interface JobQueue {
  /** Puts jobs into it that write these things, a hundred to a call, four calls at a time. */
  enqueue(names: readonly string[]): Promise<void>
  stop(): Promise<void>
}

const BATCH = 100
const LANES = 4

/** What the peer’s handler may have under way in the database; as many as `db` has at most. */
const CONNECTIONS = 10

const WRITE = `select db.apply(jsonb_build_array(jsonb_build_object('operation', 'upsert', 'ns', 'default', 'id', $1::text, 'type', 'Job', 'content', 'written by a job',
  'data', '{}'::jsonb, 'visibility', 'private', 'path', '')), 'bench', $2::timestamptz)`

/** This platform’s queue, as a client reaches it over HTTP. */
export function ownQueue(url: string, key: string): JobQueue {
  const agent = new Agent({ connections: LANES })
  const send = async (names: readonly string[]): Promise<void> => {
    const jobs = names.map(($id) => ({ type: 'db.upsert', payload: { $id, $type: 'Job', content: 'written by a job' } }))
    const headers = { authorization: `Bearer ${key}` }
    const { statusCode, body } = await request(`${url}/queue/jobs/batch`, { dispatcher: agent, method: 'POST', headers, body: JSON.stringify({ jobs }) })
    const text = await body.text()
    if (statusCode !== 201) throw new Error(`POST /queue/jobs/batch: ${statusCode} ${text}`)
  }
  return { enqueue: (names) => inLanes(names, send), stop: () => agent.destroy() }
}

/**
 * pg-boss in a database’s own schema, with its workers told to take a hundred jobs at once and to go on without a pause while there are more; by default they take
 * one every two seconds. Each job is settled by itself, as here, and its handler runs the same SQL that `db.upsert` does.
 */
export async function peerQueue(databaseUrl: string): Promise<JobQueue> {
  const boss = new PgBoss({ connectionString: databaseUrl, max: CONNECTIONS })
  boss.on('error', (error) => process.stderr.write(`${String(error)}\n`))
  const pool = new pg.Pool({ connectionString: databaseUrl, max: CONNECTIONS })
  await boss.start()
  await boss.createQueue('things')
  const write = (id: string) => pool.query(WRITE, [id, new Date().toISOString()])
  const options = { batchSize: BATCH, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true, localConcurrency: 2, perJobResults: true } as const
  await boss.work<{ id: string }, void, typeof options>('things', options, async (jobs) => {
    await Promise.all(jobs.map(({ data }) => write(data.id)))
    return jobs.map(({ id }) => ({ id, status: 'completed' as const }))
  })
  const send = async (names: readonly string[]): Promise<void> => {
    await boss.insert(
      'things',
      names.map((id) => ({ data: { id } })),
    )
  }
  return {
    enqueue: (names) => inLanes(names, send),
    async stop() {
      await boss.stop({ graceful: true, close: true })
      await pool.end()
    },
  }
}

/** From the first call until the last thing is there, in milliseconds. */
export async function timeOf(queue: JobQueue, { prefix, count, client }: { prefix: string; count: number; client: pg.Client }): Promise<number> {
  const names = Array.from({ length: count }, (_, n) => `${prefix}/${n}`)
  const start = performance.now()
  await queue.enqueue(names)
  const counting = 'select count(*)::integer as there from db.things where ns = $1 and id >= $2 and id < $3'
  const isDone = async () => (await client.query<{ there: number }>(counting, ['default', `${prefix}/`, `${prefix}0`])).rows[0]?.there === count
  while (!(await isDone())) await delay(20)
  return performance.now() - start
}

async function inLanes(names: readonly string[], send: (names: readonly string[]) => Promise<void>): Promise<void> {
  const batches = Array.from({ length: Math.ceil(names.length / BATCH) }, (_, index) => names.slice(index * BATCH, (index + 1) * BATCH))
  const rest = batches.values()
  const lane = async (): Promise<void> => {
    for (const batch of rest) await send(batch)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

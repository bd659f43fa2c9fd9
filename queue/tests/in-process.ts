import { vi } from 'vitest'
import { service as authService } from '../../auth/src/service.ts'
import { service as dbService } from '../../db/src/service.ts'
import { binding, owned, startDb, type DbInProcess } from '../../db/tests/in-process.ts'
import { enqueueStatement, wakeHint, type JobElement } from '../../packages/data/src/jobs.ts'
import { callOf, type Call } from '../../packages/kernel/src/call.ts'
import type { Principal } from '../../packages/types/src/index.ts'
import { ServiceError } from '../../packages/utils/src/index.ts'
import type { Env } from '../src/env.ts'
import { LANES, type Hint, type Lane } from '../src/hint.ts'
import { LaneRunner } from '../src/lane-runner.ts'
import { service } from '../src/service.ts'
import { forgetSettings } from '../src/type-settings.ts'
import { tellForgottenOrigins } from '../src/origins.ts'
import { beat, takeTurn, type Settlement, type Turn } from '../src/turns.ts'
import { wakeDue, wakeForgotten } from '../src/waking.ts'
import { memoryBucket } from './memory-bucket.ts'

/** When every test begins: later than the keys and tables are made, so that time only ever goes forward. */
const BEGINNING = new Date('2030-01-01T00:00:00.000Z')

/** What a binding of queue shows. */
export type BoundQueue = ReturnType<typeof bindQueue>

/** queue over a real db and auth, all in this process. What Cloudflare would carry is kept here: hints in the lanes, the times the Waker was told, objects in R2. */
export interface QueueInProcess {
  db: DbInProcess
  env: Env
  lanes: Record<Lane, Hint[]>
  /** When the Waker was asked to look. */
  wakings: string[]
  /** What was put into R2, by key. */
  objects: Map<string, Uint8Array>
  /** A key of the namespace `default` that may do everything. */
  key: Principal
  /** queue as somebody sees it who speaks for a key, this one unless told. */
  bound: BoundQueue
  /** What to say with a call to speak for the key, or for another asker. */
  asker(about?: Partial<Principal>): { onBehalfOf: Principal }
  /** Enqueues as the key. */
  enqueue(job: Parameters<BoundQueue['enqueue']>[0]): ReturnType<BoundQueue['enqueue']>
  /** Enqueues by SQL, as a service does in a transaction of its own; answers the ids. */
  byService(service: string, jobs: JobElement[]): Promise<[string, ...string[]]>
  /** The statement of such a transaction. */
  statementOf: typeof enqueueStatement
  /** queue as another Worker sees it, in its own name. */
  asService(id: string, permissions: string[]): BoundQueue
  /** Takes jobs as a runner of this name does; answers which it got. */
  claim(ids: string[], runner: string): Promise<string[]>
  /** Says that this runner has done its jobs. */
  settle(ids: string[], runner: string, outcome?: Partial<Settlement>): Promise<Turn>
  /** Says that this runner is still there. */
  beat(ids: string[], runner: string): ReturnType<typeof beat>
  /** Cancels by SQL, as a service does in a transaction of its own. */
  cancelAs(service: string, id: string): Promise<{ state: string } | undefined>
  /** Changes a job as only the database’s owner can. */
  changeRow(id: string, assignment: string): Promise<void>
  /** Lets nobody ask auth while `run` lasts. */
  withoutAuth<Result>(run: () => Promise<Result>): Promise<Result>
  /** What schedule does with what it is told; it is a Worker of its own, which is not here. */
  tellSchedule(settle: (input: unknown) => unknown): void
  /** Tells of ends that nobody could be told of then, as the cron of each minute does. */
  tellForgotten(): Promise<void>
  /** Removes what ended long ago, as the cron of each day does. */
  cleanUp(): Promise<{ removed: number }>
  /** Lets types that tests settled be seen at once. */
  forgetTypes(): void
  /** Lets time pass, and what is due then be woken, as the Waker and the cron of each minute do. */
  passes(seconds: number): Promise<void>
  /** Reads a job as the key. */
  job(id: string): ReturnType<BoundQueue['getJob']>
  /** A call in queue's own name, for what is below operations. */
  call: Call<Env>
  /** auth as an operator sees it. */
  keys: ReturnType<typeof bindAuth>
  /** Runs whatever the lanes hold, high ones first, until they are empty. */
  drain(): Promise<void>
  /** db as the queue and its jobs see it. */
  things: ReturnType<typeof bindDb>
  /** As if just started. */
  reset(): Promise<void>
  close(): Promise<void>
}

/** Starts queue with the tables it shares a database with. */
// long: everything that tests may ask, each a line or two over the same bindings
export async function startQueue(): Promise<QueueInProcess> {
  const db = await startDb(['auth', 'db', 'queue', 'schedule'])
  const lanes: QueueInProcess['lanes'] = { 'jobs-high': [], 'jobs-normal': [], 'jobs-low': [] }
  const wakings: string[] = []
  const { bucket, objects } = memoryBucket()
  const producers = Object.fromEntries(Object.entries(LANES).map(([lane, name]) => [name, producer(lanes[lane as Lane])])) // the lanes by name
  const authEnv = { KEY_MODE: 'test', KEY_PEPPER: 'pepper', DB_SERVICE: bindDb(db, 'auth', ['db:execute']) }
  const env = {
    KEY_MODE: 'test',
    LANE_HOLD_SECONDS: 0,
    SERVICE_PERMISSIONS: { schedule: ['db:maintain', 'queue:maintain'], tester: ['things:write', 'jobs:write'] },
    ...producers,
    QUEUE_BUCKET: bucket,
    Wakers: { getByName: () => ({ wakeBy: (time: string) => Promise.resolve(void wakings.push(time)) }) },
    DB_SERVICE: bindDb(db, 'queue', ['db:execute', 'db:maintain']),
    AUTH_SERVICE: bindAuth(authEnv, { id: 'queue', permissions: ['principals:resolve', 'auth:maintain'] }),
  } as unknown as Env // what the tests call reaches nothing else
  const key: Principal = { id: '', kind: 'key', tenant: 'default', permissions: ['*'] }
  const keys = bindAuth(authEnv, { id: 'operator', permissions: ['*'] })
  const bound = bindQueue(env, { id: 'gateway', permissions: [] })
  const asker = (about: Partial<Principal> = {}) => ({ onBehalfOf: { ...key, ...about } })
  const call = callOf({ env, props: { principal: { id: 'queue', permissions: ['*'] } }, waitUntil: () => {} }, 'queue')
  return {
    db,
    env,
    lanes,
    wakings,
    objects,
    call,
    key,
    keys,
    bound,
    asker,
    enqueue: (job) => bound.enqueue(job, asker()),
    async byService(role, jobs) {
      const { statement, ids } = enqueueStatement(jobs)
      await db.database.execute(role)([statement])
      lanes['jobs-normal'].push(wakeHint(ids))
      return ids as [string, ...string[]] // one for each job
    },
    statementOf: enqueueStatement,
    asService: (id, permissions) => bindQueue(env, { id, permissions }),
    async claim(asked, runner) {
      const { claimed } = await takeTurn({ runner, ended: [], asked }, call)
      return claimed.map(({ id }) => id)
    },
    settle: (ids, runner, outcome) =>
      takeTurn({ runner, asked: [], ended: ids.map((id) => ({ id, state: 'completed' as const, result: {}, ...outcome })) }, call),
    beat: (ids, runner) => beat(ids, runner, call),
    async cancelAs(service, id) {
      const [result] = await db.database.execute(service)([{ sql: 'select queue.cancel($1, $2)', params: [id, new Date().toISOString()] }])
      const answer = result?.rows[0]?.[0]
      return typeof answer === 'string' ? (JSON.parse(answer) as { state: string }) : undefined
    },
    async changeRow(id, assignment) {
      await owned(db.database, `update queue.jobs set ${assignment} where id = '${id}'`)
    },
    async withoutAuth(run) {
      const { AUTH_SERVICE } = env
      const isDown = () => Promise.reject(new ServiceError('UNAVAILABLE', 'auth is down'))
      env.AUTH_SERVICE = { resolvePrincipal: isDown } as unknown as Env['AUTH_SERVICE'] // a binding whose Worker is not there
      return run().finally(() => void (env.AUTH_SERVICE = AUTH_SERVICE))
    },
    tellSchedule(settle) {
      env.SCHEDULE_SERVICE = { settleExecution: async (input: unknown) => settle(input) } as unknown as Env['SCHEDULE_SERVICE'] // queue calls nothing else of it here
    },
    tellForgotten: () => tellForgottenOrigins(call),
    cleanUp: () => bindQueue(env, { id: 'schedule', permissions: ['queue:maintain'] }).cleanUpJobs({}),
    forgetTypes: forgetSettings,
    async passes(seconds) {
      vi.setSystemTime(Date.now() + seconds * 1000)
      await wakeDue(call)
      await wakeForgotten(call)
    },
    job: (id) => bound.getJob({ id }, asker()),
    async reset() {
      vi.useFakeTimers({ toFake: ['Date'], now: BEGINNING })
      forgetSettings()
      await db.database.reset()
      for (const lane of Object.values(lanes)) lane.length = 0
      wakings.length = 0
      objects.clear()
      const { id } = await keys.createKey({ name: 'test', permissions: ['*'] })
      key.id = id
    },
    drain: () => drain(lanes, call),
    things: bindDb(db, 'reader', ['*']),
    async close() {
      vi.useRealTimers()
      await db.close()
    },
  }
}

async function drain(lanes: QueueInProcess['lanes'], call: Call<Env>): Promise<void> {
  for (;;) {
    const lane = (Object.keys(lanes) as Lane[]).find((name) => lanes[name].length > 0)
    if (!lane) return
    const jobs = lanes[lane].splice(0).flatMap((hint) => hint.jobs)
    await new LaneRunner(jobs, lane, call).run()
  }
}

function producer(hints: Hint[]) {
  return {
    send: (hint: Hint) => Promise.resolve(void hints.push(hint)),
    sendBatch: (messages: { body: Hint }[]) => Promise.resolve(void hints.push(...messages.map(({ body }) => body))),
  }
}

function bindAuth(env: object, principal: { id: string; permissions: string[] }) {
  return binding(authService, env as never, { principal, delegate: { permissions: ['*'] } })
}

function bindDb(db: DbInProcess, id: string, permissions: string[]) {
  return binding(dbService, db.env, { principal: { id, permissions }, delegate: { permissions: ['*'] } })
}

function bindQueue(env: Env, principal: { id: string; permissions: string[]; tenant?: string }) {
  return binding(service, env, { principal, delegate: { permissions: ['*'] } })
}

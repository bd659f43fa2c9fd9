import type { EnqueuedJob } from '@dot-do/worker-contracts/job'
import { commit } from '@dot-do/worker-data/ledger'
import type { Call } from '@dot-do/worker-kernel/call'
import { generateId, namespaceFor, toServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import type { Env } from './env.ts'
import { askFunction } from './functions.ts'
import { checkJob, dueAt, type Asked } from './job-check.ts'
import { DEFAULT_ATTEMPTS, jobRow, shown } from './job-row.ts'
import { keepPayload } from './payloads.ts'
import { SCHEMA } from './tables.ts'
import { typeSettings, type TypeRow } from './type-settings.ts'
import { wakeBy, wakeLanes } from './waking.ts'

/** A job that somebody wants done. */
export interface NewJob extends Asked {
  /** `job_…`; made where it is absent. A job that is there already by this id is not made again. */
  id?: string
  ns?: string | undefined
  priority?: number
  maxAttempts?: number | undefined
  backoffSeconds?: number | undefined
  /** The workflow it is a step of. */
  parent?: string
}

type Enqueued = z.input<typeof EnqueuedJob>

/** As `queue.enqueue` takes it; see migrations/0001_jobs.sql. */
type Element = Awaited<ReturnType<typeof elementOf>>

/** Somebody else may have taken a unique key between the look and the commit; then they have it. */
const TRIES = 3

/** Puts jobs into the queue as the call's principal, all or none, and wakes whoever runs them. */
export async function enqueueJobs(jobs: readonly NewJob[], call: Call<Env>): Promise<{ id: string; created: boolean }[]> {
  const enqueued = await enqueueAll(jobs, call, { answerOf: (found) => ({ jobs: found }) })
  return enqueued.map(({ id, created }) => ({ id, created }))
}

/** The same; a keyed call's answer is made by `answerOf`, and kept with them. `paths` say where each job stands in the input. */
export async function enqueueAll(
  jobs: readonly NewJob[],
  call: Call<Env>,
  { answerOf, paths }: { answerOf: (enqueued: Enqueued[]) => object; paths?: readonly string[] },
): Promise<Enqueued[]> {
  const now = Date.now()
  const settings = await typeSettings(call)
  const checked = jobs.map((job, index) => check(job, { path: paths?.[index] ?? '', now }, call))
  for (let attempt = 1; ; attempt++) {
    try {
      return await enqueueChecked(checked, settings, { call, answerOf })
    } catch (thrown) {
      if (attempt === TRIES || !isTaken(thrown)) throw thrown
    }
  }
}

/** A job that may be enqueued. */
interface Checked {
  job: NewJob
  id: string
  ns: string
  type: string
  createdAt: string
  runAt: string
}

function check(job: NewJob, { path, now }: { path: string; now: number }, call: Call<Env>): Checked {
  const ns = namespaceFor(call.principal, job.ns)
  const { type } = checkJob(job, path, call)
  return { job, id: job.id ?? generateId('job'), ns, type, createdAt: new Date(now).toISOString(), runAt: dueAt(job, path, now) }
}

async function enqueueChecked(
  checked: readonly Checked[],
  settings: ReadonlyMap<string, TypeRow>,
  { call, answerOf }: { call: Call<Env>; answerOf: (enqueued: Enqueued[]) => object },
): Promise<Enqueued[]> {
  const known = await knownJobs(checked, settings, call)
  const created = checked.filter((_one, index) => !known[index] && !repeats(checked, index))
  const elements = await Promise.all(created.map((one) => elementOf(one, call)))
  const bytes = new Map(elements.map(({ id, payloadBytes }) => [id, payloadBytes]))
  const enqueued = checked.map((one, index): Enqueued => {
    const first = repeats(checked, index) ?? one
    return known[index] ?? { ...summaryOf(first, bytes.get(first.id) ?? 0, { settings, call }), created: first === one }
  })
  await put(elements, { call, answer: answerOf(enqueued) })
  wakeLanes(
    elements.filter(({ runAt, createdAt }) => runAt === createdAt),
    call,
  )
  const [soonest] = elements.map(({ runAt, createdAt }) => (runAt === createdAt ? '~' : runAt)).toSorted()
  if (soonest !== undefined && soonest !== '~') wakeBy(soonest, call)
  return enqueued
}

/** The one before in the same call that has its unique key. */
function repeats(checked: readonly Checked[], index: number): Checked | undefined {
  const one = checked[index]
  if (one?.job.uniqueKey === undefined) return undefined
  return checked.slice(0, index).find(({ ns, type, job: { uniqueKey } }) => ns === one.ns && type === one.type && uniqueKey === one.job.uniqueKey)
}

async function put(elements: readonly Element[], { call, answer }: { call: Call<Env>; answer: object }): Promise<void> {
  const statement = { sql: 'select queue.enqueue($1::jsonb)', params: [JSON.stringify(elements)] }
  try {
    if (elements.length > 0 || call.entry) await commit(call, SCHEMA, { statements: elements.length > 0 ? [statement] : [], answer })
  } catch (thrown) {
    const keys = elements.flatMap(({ payloadKey }) => (payloadKey === undefined ? [] : [payloadKey]))
    if (keys.length > 0) call.waitUntil(call.env.QUEUE_BUCKET.delete(keys).catch(() => undefined))
    throw thrown
  }
}

async function elementOf({ job, id, ns, type, createdAt, runAt }: Checked, call: Call<Env>) {
  const { inline, key, bytes } = await keepPayload(id, job.payload ?? {}, call.env)
  const { id: principalId, kind, tenant } = call.principal
  return {
    id,
    ns,
    type,
    createdAt,
    runAt,
    payloadBytes: bytes,
    mustCreate: true,
    payload: key === undefined ? inline : undefined,
    payloadKey: key,
    priority: job.priority ?? 5,
    group: job.group,
    groupConcurrency: job.groupConcurrency,
    uniqueKey: job.uniqueKey,
    uniqueForSeconds: job.uniqueForSeconds,
    maxAttempts: job.maxAttempts,
    backoffSeconds: job.backoffSeconds,
    parent: job.parent,
    principal: { id: principalId, kind, tenant },
    requestId: call.requestId,
    traceparent: call.traceparent,
  }
}

function summaryOf(
  { job, id, ns, type, createdAt, runAt }: Checked,
  payloadBytes: number,
  { settings, call }: { settings: ReadonlyMap<string, TypeRow>; call: Call<Env> },
) {
  const defaults = settings.get(type)
  return {
    id,
    ns,
    type,
    runAt,
    createdAt,
    payloadBytes,
    state: runAt === createdAt ? ('pending' as const) : ('delayed' as const),
    priority: job.priority ?? 5,
    attempts: 0,
    maxAttempts: job.maxAttempts ?? defaults?.maxAttempts ?? DEFAULT_ATTEMPTS,
    ...(job.group !== undefined && { group: job.group }),
    ...(job.uniqueKey !== undefined && { uniqueKey: job.uniqueKey }),
    ...(job.parent !== undefined && { parent: job.parent }),
    progress: null,
    errors: [],
    createdBy: call.principal.id,
  }
}

/** Those that are there already, by their ids or their unique keys, each in its place. */
async function knownJobs(checked: readonly Checked[], settings: ReadonlyMap<string, TypeRow>, call: Call<Env>): Promise<(Enqueued | undefined)[]> {
  const asked = checked.flatMap(({ job, id, ns, type, createdAt }, index) =>
    job.uniqueKey === undefined && job.id === undefined ? [] : [{ index, id, ns, type, createdAt, uniqueKey: job.uniqueKey ?? null }],
  )
  if (asked.length === 0) return []
  const found = await askFunction('known', [JSON.stringify(asked)], call)
  const known: (Enqueued | undefined)[] = []
  for (const { index, job } of found as { index: number; job: Record<string, unknown> }[]) {
    // as migrations/0002_running.sql has it
    const row = jobRow(job)
    known[index] = { ...shown(row, settings.get(row.type)), created: false }
  }
  return known
}

function isTaken(thrown: unknown): boolean {
  const { code, details } = toServiceError(thrown)
  return code === 'CONFLICT' && details?.some(({ path }) => path === 'uniqueKey') === true
}

import { setTimeout as delay } from 'node:timers/promises'
import type { Platform } from '@dot-do/worker-local/host/platform'
import { Agent, request } from 'undici'
import { cpuNs } from './processes.ts'
import { latencyOf, type Latency } from './statistics.ts'

/** What tasks cost while they wait, and how late they begin. */
export interface TaskFigures {
  /** CPU that workerd uses while nothing is asked, as a share of one core: without tasks, and with so many that wait. */
  idleShare: number
  idleShareWithTasks: number
  waiting: number
  /** How long after their second so many tasks began that were due in the same one. */
  lag: Latency
  due: number
}

const WAITING = 10_000
const DUE = 1_000
const LANES = 16
const IDLE_MS = 10_000

/** What was just made is put away in this time. */
const SETTLE_MS = 30_000

/** How long it takes at most to make the tasks that are due together. */
const AHEAD_MS = 60_000

/** Tasks that are due together are left alone for so long. */
const LOOK_AFTER_MS = 5_000

/** A platform and who asks it. */
interface Stage {
  platform: Platform
  url: string
  key: string
}

/** Makes tasks on a platform that does nothing else meanwhile. */
export async function measureTasks(stage: Stage): Promise<TaskFigures> {
  const { workerd } = await stage.platform.pids()
  if (workerd === undefined) throw new Error('The platform came up without workerd')
  const agent = new Agent({ connections: LANES })
  try {
    const idleShare = await idleShareOf(workerd)
    await make(stage, agent, { prefix: 'waiting', count: WAITING, timing: { cron: '17 3 1 1 *' } })
    const idleShareWithTasks = await idleShareOf(workerd)
    return { idleShare, idleShareWithTasks, waiting: WAITING, lag: await measureLag(stage, agent), due: DUE }
  } finally {
    await agent.destroy()
  }
}

/** Over ten seconds of a minute in which no cron fires, after a while for what was done before. */
async function idleShareOf(workerd: number): Promise<number> {
  await delay(SETTLE_MS)
  const second = (Date.now() / 1000) % 60
  if (second < 5 || second > 45) await delay(((65 - second) % 60) * 1000)
  const before = cpuNs(workerd)
  await delay(IDLE_MS)
  return (cpuNs(workerd) - before) / (IDLE_MS * 1e6)
}

async function measureLag(stage: Stage, agent: Agent): Promise<Latency> {
  const at = new Date(Math.ceil((Date.now() + AHEAD_MS) / 1000) * 1000).toISOString()
  await make(stage, agent, { prefix: 'due', count: DUE, timing: { at } })
  // Who looks while they begin holds them up.
  await delay(Math.max(0, Date.parse(at) - Date.now()) + LOOK_AFTER_MS)
  for (let look = 0; look < 600; look++) {
    const lags = await lagsOf(stage, agent, at)
    if (lags.length === DUE) return latencyOf(lags)
    await delay(250)
  }
  throw new Error(`Not all of ${DUE} tasks began`)
}

/** How late the executions of this time began that have. */
async function lagsOf({ url, key }: Stage, agent: Agent, at: string): Promise<number[]> {
  const lags: number[] = []
  const around = new URLSearchParams({ state: 'completed', scheduledAfter: before(at, 1), scheduledBefore: before(at, -1), limit: '100' })
  for (let cursor: string | null = ''; cursor !== null;) {
    const path: string = `${url}/schedule/executions?${around}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`
    const { body } = await request(path, { dispatcher: agent, headers: { authorization: `Bearer ${key}` } })
    const { data } = (await body.json()) as { data: { items: { startedAt: string; scheduledFor: string; taskName: string }[]; nextCursor: string | null } }
    const due = data.items.filter(({ taskName }) => taskName.startsWith('due-'))
    lags.push(...due.map(({ startedAt, scheduledFor }) => Date.parse(startedAt) - Date.parse(scheduledFor)))
    cursor = data.nextCursor
  }
  return lags
}

function before(at: string, milliseconds: number): string {
  return new Date(Date.parse(at) - milliseconds).toISOString()
}

/** Makes tasks that each write one thing, over several connections at once. */
async function make({ url, key }: Stage, agent: Agent, { prefix, count, timing }: { prefix: string; count: number; timing: object }): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      const name = `${prefix}-${next++}`
      const target = { kind: 'operation', operation: 'db.upsert', input: { $id: `tasks/${name}`, $type: 'Task' } }
      const task = JSON.stringify({ name, timing, target })
      const { statusCode, body } = await request(`${url}/schedule/tasks`, {
        dispatcher: agent,
        method: 'POST',
        headers: { authorization: `Bearer ${key}` },
        body: task,
      })
      const text = await body.text()
      if (statusCode !== 201) throw new Error(`POST /schedule/tasks: ${statusCode} ${text}`)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}

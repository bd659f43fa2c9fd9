import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPlatform } from '@dot-do/worker-local/host/platform'
import { request } from 'undici'
import { leaving } from './leavings.ts'
import { cpuNs } from './processes.ts'

/** What tracking costs: batches of 1,000 events over RPC, from within one request. */
export interface AnalyticsFigures {
  events: number
  /** Events accepted, which is kept durably, in a second. */
  acceptedPerSecond: number
  /** Events in ClickHouse in a second, from the first call to the last row. */
  storedPerSecond: number
  /** CPU of the Workers for one event, from the call to ClickHouse's yes. */
  workerdUs: number
}

const EVENTS_PER_CALL = 1_000
const CALLS = 500
const LANES = 4
const WARM_UP_CALLS = 20
const GIVE_UP_MS = 120_000

const LOOP = `
export default {
  async fetch(request, env) {
    const { type, calls, lanes, events } = await request.json()
    let left = calls
    const event = (index) => ({
      type, service: 'shop', operation: 'buy', principal: 'key_' + (index % 100), status: index % 50 ? 200 : 404, durationMs: index % 250,
      requestId: 'req_' + index, data: { plan: 'pro', index },
    })
    const batch = Array.from({ length: events }, (_, index) => event(index))
    const lane = async () => {
      while (left-- > 0) await env.DB.track({ events: batch })
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return new Response(null)
  },
}`

interface Stage {
  url: string
  adminKey: string
  loopUrl: string
  workerd: number
}

/** Tracks 500,000 events on a platform of its own and waits until ClickHouse has them all. */
export async function measureAnalytics(root: string): Promise<AnalyticsFigures> {
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-bench-'))
  const forget = leaving(() => rm(stateDir, { recursive: true, force: true }))
  const props = { principal: { id: 'bench', permissions: ['events:write'] } }
  const loop = { name: 'bench-events', source: LOOP, bindings: { DB: { service: 'db', entrypoint: 'DbService', props } }, listens: true }
  const platform = await startPlatform({ root, stateDir, port: 0, extraWorkers: [loop] })
  const end = leaving(() => platform.stop())
  try {
    const { workerd = 0 } = await platform.pids()
    const stage = {
      url: `http://127.0.0.1:${platform.port}`,
      adminKey: platform.admin?.adminKey ?? '',
      loopUrl: platform.workerUrls['bench-events'] ?? '',
      workerd,
    }
    await run(stage, 'warm', WARM_UP_CALLS)
    return await run(stage, 'measured', CALLS)
  } finally {
    await end().finally(forget)
  }
}

async function run(stage: Stage, type: string, calls: number): Promise<AnalyticsFigures> {
  const events = calls * EVENTS_PER_CALL
  const [start, before] = [performance.now(), cpuNs(stage.workerd)]
  const answer = await request(stage.loopUrl, { method: 'POST', body: JSON.stringify({ type, calls, lanes: LANES, events: EVENTS_PER_CALL }) })
  await answer.body.dump()
  if (answer.statusCode !== 200) throw new Error(`Tracking answered ${answer.statusCode}`)
  const acceptedMs = performance.now() - start
  while ((await storedOf(stage, type)) < events) {
    if (performance.now() - start > GIVE_UP_MS) throw new Error(`ClickHouse does not have all of ${events} events`)
    await delay(100)
  }
  const storedMs = performance.now() - start
  const workerdUs = (cpuNs(stage.workerd) - before) / 1000 / events
  return { events, acceptedPerSecond: (events * 1000) / acceptedMs, storedPerSecond: (events * 1000) / storedMs, workerdUs }
}

async function storedOf({ url, adminKey }: Stage, type: string): Promise<number> {
  const answer = await request(`${url}/db/analytics/types`, { headers: { authorization: `Bearer ${adminKey}` } })
  const { data } = (await answer.body.json()) as { data?: { rows: { type: string; count: number }[] } } // as the report `types` has it
  return data?.rows.find((row) => row.type === type)?.count ?? 0
}

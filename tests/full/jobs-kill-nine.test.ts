import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { retry } from '@dot-do/worker-utils'
import { runDev, stateDirectory, type DevProgram } from './dev-program.ts'
import { COUNT, effects, expectedEffects, expectedOrder, jobsOf, LINES, orderOf, type Client } from './many-jobs.ts'
import { familyOf, killAll, survivorsOf } from './processes.ts'

const BATCH = 100
const BATCHES = COUNT / BATCH

let state: Awaited<ReturnType<typeof stateDirectory>>

beforeAll(async () => {
  state = await stateDirectory()
})
afterAll(() => state.remove())

async function started(): Promise<DevProgram> {
  const program = runDev(state.dir)
  onTestFinished(() => program.end())
  await program.ready()
  return program
}

/** Kills everything and starts it again. */
async function killedAndStarted(killed: DevProgram): Promise<DevProgram> {
  const family = await familyOf(killed.pid)
  killAll(family)
  expect(await survivorsOf(family)).toEqual([])
  return started()
}

/** Asks whatever runs now, in the name of a tenant of its own. */
async function clientOf(program: DevProgram, key?: string): Promise<Client & { key: string }> {
  const { url, adminKey } = await program.devFile()
  const as =
    (credential: string): Client['ask'] =>
    async (path, body, idempotencyKey) => {
      const headers = { authorization: `Bearer ${credential}`, ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }) }
      const answer = await fetch(url + path, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) })
      const { data, error } = (await answer.json()) as { data?: unknown; error?: unknown }
      if (data === undefined) throw new Error(`${path}: ${answer.status} ${JSON.stringify(error)}`)
      return data as never // each caller knows what it asked for
    }
  const permissions = ['jobs:read', 'jobs:write', 'things:read', 'things:write']
  const made = key ?? (await as(adminKey)<{ key: string }>('/auth/apikeys', { name: 'crash', tenant: 'crash', permissions, limitPerMinute: 1_000_000 })).key
  return { ask: as(made), key: made }
}

/** Some of the numbers from 1 to `below`, each once, lowest first. */
function chosen(count: number, below: number): number[] {
  const numbers = new Set<number>()
  while (numbers.size < count) numbers.add(randomInt(1, below))
  return [...numbers].toSorted((one, other) => one - other)
}

interface Stats {
  states: Record<'pending' | 'delayed' | 'running' | 'failed' | 'completed' | 'cancelled' | 'dead', number>
}

it('five kills -9 lose none of 10,000 jobs, repeat no effect, keep the order of groups, and leave nothing running', { timeout: 2_400_000 }, async () => {
  let program = await started()
  const { key, ask } = await clientOf(program)
  for (const line of LINES) await ask('/db/things', { $id: line, $type: 'Line' })
  const again = async (): Promise<void> => {
    program = await killedAndStarted(program)
  }
  const once: Client['ask'] = async (...asked) => (await clientOf(program, key)).ask(...asked)
  // Who never got an answer asks again, with the same idempotency key.
  const asking: Client['ask'] = (...asked) => retry(() => once(...asked), { attempts: 12, baseMs: 200, isRetryable: () => true })
  const stats = async () => (await asking<Stats>('/queue/stats')).states

  // Three fall into a batch that is on its way while earlier jobs run.
  const moments = chosen(3, BATCHES)
  for (let batch = 0; batch < BATCHES; batch++) {
    const send = (ask = asking) => ask<{ jobs: { id: string }[] }>('/queue/jobs/batch', { jobs: jobsOf(batch * BATCH, BATCH) }, `batch-${batch}`)
    if (!moments.includes(batch)) await send()
    else {
      const interrupted = send(once).catch(() => undefined)
      await delay(randomInt(0, 300))
      await again()
      const [first, second] = [await interrupted, await send()]
      if (first) expect(second.jobs.map(({ id }) => id)).toEqual(first.jobs.map(({ id }) => id))
    }
  }
  // And two while the rest is done.
  for (const share of chosen(2, 99)) {
    const enough = Math.floor(((await stats()).completed * (100 - share) + COUNT * share) / 100)
    await vi.waitFor(async () => expect((await stats()).completed).toBeGreaterThanOrEqual(enough), { timeout: 600_000, interval: 100 })
    await again()
  }

  await vi.waitFor(async () => expect(await stats()).toMatchObject({ pending: 0, delayed: 0, running: 0, failed: 0 }), { timeout: 900_000, interval: 500 })

  const client = { ask: asking }
  expect(await stats()).toMatchObject({ dead: 0, cancelled: 0 })
  expect(await effects(client)).toEqual(expectedEffects())
  expect(await orderOf(client)).toEqual(expectedOrder())
})

import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { ask, makeKey, unique, type Loose } from './client.ts'

/** A tenant's key that may have tasks that write things. */
async function tenantKey() {
  const { key } = await makeKey({
    permissions: ['tasks:read', 'tasks:write', 'things:read', 'things:write', 'jobs:read', 'jobs:write'],
    tenant: unique('acme'),
  })
  const schedule = (path: string, asked: Parameters<typeof ask>[1] = {}) => ask(`/schedule${path}`, { key, ...asked })
  return { key, schedule }
}

/** Executions of a task, newest first. */
async function historyOf(schedule: Awaited<ReturnType<typeof tenantKey>>['schedule'], task: string): Promise<Loose[]> {
  return (await schedule(`/tasks/${task}/history?limit=100`)).data['items'] as unknown as Loose[]
}

describe('an execution whose job died', () => {
  it('has another job after a wait, then has failed, with every error in its log', async () => {
    const { key, schedule } = await tenantKey()
    const name = unique('poison')
    // Fits the contract, and never the thing.
    const target = { kind: 'job', type: 'db.upsert', payload: { $id: name, $type: 'Note', data: {}, ifVersion: 7 }, maxAttempts: 1 }

    const made = await schedule('/tasks', { body: { name, timing: { cron: '@yearly' }, target, retries: 1, retryAfterSeconds: 1 } })
    const { data } = await schedule(`/tasks/${name}/run`, { body: {} })
    const whole = await eventually(async () => {
      const { data: found } = await schedule(`/executions/${String(data['execution']?.['id'])}`)
      expect(found).toMatchObject({ state: 'failed', attempts: 2 })
      return found
    })

    const messages = (whole['log'] as unknown as Loose[]).map(({ message }) => String(message))
    expect(made.status).toBe(201)
    expect(messages.filter((message) => message.includes('failed:'))).toHaveLength(2)
    expect((await ask('/queue/jobs?state=dead', { key })).data['items']).toHaveLength(2)
  })
})

describe('times of the past', () => {
  it('are made up for in order', async () => {
    const { key, schedule } = await tenantKey()
    const name = unique('backfill')
    const target = { kind: 'operation', operation: 'db.upsert', input: { $id: name, $type: 'Note', data: {} } }
    const to = new Date()
    const from = new Date(to.getTime() - 4 * 3_600_000)

    await schedule('/tasks', { body: { name, timing: { cron: '0 * * * *' }, target } })
    const { data } = await schedule(`/tasks/${name}/backfill`, { body: { from: from.toISOString(), to: to.toISOString() } })
    const runs = await eventually(async () => {
      const found = await historyOf(schedule, name)
      expect(found.map(({ state }) => String(state))).toEqual(['completed', 'completed', 'completed', 'completed'])
      return found
    })

    const begun = runs.toReversed().map(({ startedAt }) => String(startedAt))
    expect(data).toMatchObject({ count: 4 })
    expect(begun).toEqual(begun.toSorted())
    expect((await ask(`/db/things/${name}`, { key })).status).toBe(200)
  })
})

describe('an execution that waits for its job', () => {
  it('ends when it is cancelled, and its job with it', async () => {
    const { key, schedule } = await tenantKey()
    const name = unique('held')
    const target = { kind: 'job', type: 'queue.workflow', payload: { steps: [{ name: 'nap', sleepSeconds: 3600 }] } }

    await schedule('/tasks', { body: { name, timing: { cron: '@yearly' }, target } })
    const { data } = await schedule(`/tasks/${name}/run`, { body: {} })
    const id = String(data['execution']?.['id'])
    const job = await eventually(async () => {
      const { data: running } = await schedule(`/executions/${id}`)
      expect(running).toMatchObject({ state: 'running' })
      expect((await ask(`/queue/jobs/${String(running['job'])}`, { key })).data).toMatchObject({ state: 'delayed', attempts: 0 })
      return String(running['job'])
    })
    const cancelled = await schedule(`/executions/${id}`, { method: 'DELETE' })

    expect(cancelled.data).toMatchObject({ id, state: 'cancelled' })
    expect((await ask(`/queue/jobs/${job}`, { key })).data).toMatchObject({ state: 'cancelled' })
  })
})

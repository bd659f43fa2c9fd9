import { describe, expect, inject, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { ask, makeKey, rpc, unique, type Loose } from './client.ts'

const { port } = inject('platform')
const PERMISSIONS = ['tasks:read', 'tasks:write', 'things:read', 'things:write', 'jobs:read', 'jobs:write']

/** A key of a tenant of its own, and what it asks of schedule. */
async function tenantKey(permissions = PERMISSIONS) {
  const { key, tenant, id } = await makeKey({ permissions, tenant: unique('acme') })
  const tasks = (path = '', asked: Parameters<typeof ask>[1] = {}) => ask(`/schedule/tasks${path}`, { key, ...asked })
  return { key, tenant, id, tasks }
}

/** The executions of a task in a state, newest first. */
async function executionsOf(tasks: Awaited<ReturnType<typeof tenantKey>>['tasks'], task: string, state: string): Promise<Loose[]> {
  const { data } = await tasks(`/${task}/history?limit=100&state=${state}`)
  return data['items'] as unknown as Loose[]
}

describe('a task', () => {
  it('has its operation called at its times, with the authority of whoever made it', async () => {
    const { key, tenant, tasks } = await tenantKey()
    const name = unique('tick')
    const target = { kind: 'operation', operation: 'db.upsert', input: { $id: name, $type: 'Note', data: { text: 'tick' } } }

    const made = await tasks('', { body: { name, timing: { everySeconds: 1 }, target } })
    const runs = await eventually(async () => {
      const found = await executionsOf(tasks, name, 'completed')
      expect(found.length).toBeGreaterThan(2)
      return found
    })
    await tasks(`/${name}`, { method: 'DELETE' })

    expect(made.status).toBe(201)
    expect(runs[0]).toMatchObject({ trigger: 'schedule', attempts: 1, error: null })
    expect(new Set(runs.map(({ scheduledFor }) => String(scheduledFor))).size).toBe(runs.length)
    expect((await ask(`/db/things/${name}`, { key })).data).toMatchObject({ ns: tenant, data: { text: 'tick' } })
  })

  it('once, at a date, puts a job into the queue and is told what came of it', async () => {
    const { key, tenant, tasks } = await tenantKey()
    const name = unique('once')
    const target = { kind: 'job', type: 'db.upsert', payload: { $id: name, $type: 'Note', data: { text: 'by a job' } } }

    await tasks('', { body: { name, timing: { at: new Date(Date.now() + 500).toISOString() }, target } })
    const [run] = await eventually(async () => {
      const found = await executionsOf(tasks, name, 'completed')
      expect(found).toHaveLength(1)
      return found
    })

    const { data: whole } = await ask(`/schedule/executions/${String(run?.['id'])}`, { key })
    const { data: job } = await ask(`/queue/jobs/${String(run?.['job'])}`, { key })
    expect(whole).toMatchObject({ result: { $id: name }, log: expect.arrayContaining([expect.objectContaining({ message: 'Completed' })]) })
    expect(job).toMatchObject({ state: 'completed', type: 'db.upsert', ns: tenant })
    expect((await tasks(`/${name}`)).data).toMatchObject({ nextRunAt: null, lastExecution: { state: 'completed' } })
    expect((await ask(`/db/things/${name}`, { key })).data).toMatchObject({ ns: tenant, data: { text: 'by a job' } })
  })

  it('asks a URL, with a key that is the same for every attempt, and keeps the beginning of the answer', async () => {
    const { key, tasks } = await tenantKey()
    const name = unique('hook')
    const target = { kind: 'http', url: 'https://hook.example/in', headers: { 'X-Own': 'yes' }, body: 'tick' }

    await tasks('', { body: { name, timing: { cron: '@yearly' }, target } })
    const { data } = await tasks(`/${name}/run`, { body: {} })
    const id = String(data['execution']?.['id'])
    const whole = await eventually(async () => {
      const found = (await ask(`/schedule/executions/${id}`, { key })).data
      expect(found).toMatchObject({ state: 'completed' })
      return found
    })

    const heard = JSON.parse(String(whole['result']?.['body']))
    expect(whole).toMatchObject({ trigger: 'manual', result: { status: 200, truncated: false } })
    expect(heard).toMatchObject({ url: 'https://hook.example/in', method: 'POST', body: 'tick', headers: { 'x-own': 'yes', 'idempotency-key': id } })
    expect(heard.headers).not.toHaveProperty('authorization')
  })

  it.each([
    ['a redirect to a private address', 'https://redirect.example/?to=http%3A%2F%2F127.0.0.1%3A8787%2Fhealth', 'FORBIDDEN', /private address/],
    ['an answer that is no success', 'https://gone.site.example/', 'UPSTREAM', /answered 404/],
  ])('fails by %s', async (_name, url, code, message) => {
    const { key, tasks } = await tenantKey()
    const name = unique('hook')

    await tasks('', { body: { name, timing: { cron: '@yearly' }, target: { kind: 'http', method: 'GET', url } } })
    const { data } = await tasks(`/${name}/run`, { body: {} })

    await eventually(async () => {
      const found = (await ask(`/schedule/executions/${String(data['execution']?.['id'])}`, { key })).data
      expect(found).toMatchObject({ state: 'failed', error: { code, message: expect.stringMatching(message) } })
    })
  })

  it('is the same over RPC, HTTP, also under /api, and MCP', async () => {
    const name = unique('same')
    const made = await rpc('SCHEDULE_ADMIN', 'createTask', { name, timing: { cron: '@daily' }, target: { kind: 'http', url: 'https://hook.example/' } })
    const { key } = await makeKey({ permissions: ['tasks:read'], tenant: 'default' })

    const overHttp = await ask(`/schedule/tasks/${name}`, { key })
    const underApi = await ask(`/api/tasks/${name}`, { key, host: `schedule.do.localhost:${port}` })
    const { value: overMcp } = await rpc('SCHEDULE_ADMIN', 'callTool', { name: 'schedule_get_task', arguments: { id: name } })
    await rpc('SCHEDULE_ADMIN', 'deleteTask', { id: name })

    expect(overHttp.data).toEqual(made.value)
    expect(overMcp['structuredContent']).toEqual(made.value)
    expect(underApi.data).toEqual(made.value)
  })
})

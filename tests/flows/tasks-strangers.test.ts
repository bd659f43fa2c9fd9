import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { admin, ask, makeKey, unique } from './client.ts'

const UPSERT = { kind: 'operation', operation: 'db.upsert', input: { $id: 'tick', $type: 'Note', data: {} } }

/** A task of a tenant's, and its keys: one that made it, one that may only start it. */
async function taskOfTenant() {
  const tenant = unique('acme')
  const owner = await makeKey({ permissions: ['tasks:read', 'tasks:write', 'things:write', 'things:read'], tenant })
  const clerk = await makeKey({ permissions: ['tasks:read', 'tasks:write'], tenant })
  const name = unique('tick')
  await ask('/schedule/tasks', { key: owner.key, body: { name, timing: { cron: '@yearly' }, target: UPSERT } })
  return { tenant, owner, clerk, name }
}

describe('a task of somebody else', () => {
  it('is not there, whatever is asked of it', async () => {
    const { owner, name } = await taskOfTenant()
    const { data: task } = await ask(`/schedule/tasks/${name}`, { key: owner.key })
    const { key } = await makeKey({ permissions: ['tasks:read', 'tasks:write', 'things:write'], tenant: unique('rival') })
    const { data: run } = await ask(`/schedule/tasks/${name}/run`, { key: owner.key, body: {} })
    const id = String(task['id'])
    const execution = String(run['execution']?.['id'])

    const answers = await Promise.all([
      ask(`/schedule/tasks/${id}`, { key }),
      ask(`/schedule/tasks/${id}`, { key, method: 'PATCH', body: { description: 'mine' } }),
      ask(`/schedule/tasks/${id}/run`, { key, body: {} }),
      ask(`/schedule/tasks/${id}/disable`, { key, body: {} }),
      ask(`/schedule/tasks/${id}/history`, { key }),
      ask(`/schedule/executions/${execution}`, { key }),
      ask(`/schedule/executions/${execution}`, { key, method: 'DELETE' }),
      ask(`/schedule/executions?ns=default`, { key }),
    ])

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404))
    expect((await ask('/schedule/tasks', { key })).data['items']).toEqual([])
    expect((await ask(`/schedule/tasks/${name}`, { key: owner.key })).data).toMatchObject({ enabled: true, description: '' })
  })
})

describe('whoever may only start a task', () => {
  it('runs it as its owner has it, and neither with words of their own nor with another target', async () => {
    const { owner, clerk, name } = await taskOfTenant()

    const given = await ask(`/schedule/tasks/${name}/run`, { key: clerk.key, body: { arguments: { $id: 'other' } } })
    const retargeted = await ask(`/schedule/tasks/${name}`, { key: clerk.key, method: 'PATCH', body: { target: UPSERT } })
    const started = await ask(`/schedule/tasks/${name}/run`, { key: clerk.key, body: {} })

    expect([given.status, retargeted.status, started.status]).toEqual([403, 403, 200])
    await eventually(async () => {
      expect((await ask(`/schedule/tasks/${name}`, { key: owner.key })).data['lastExecution']).toMatchObject({ state: 'completed' })
    })
    expect((await ask('/db/things/tick', { key: owner.key })).status).toBe(200)
    expect((await ask('/db/things/other', { key: owner.key })).status).toBe(404)
  })
})

describe('a task whose owner’s key was revoked', () => {
  it('does nothing, and says why', async () => {
    const { owner, clerk, name } = await taskOfTenant()

    await admin(`/auth/apikeys/${owner.id}`, { method: 'DELETE' })
    const { data: foreseen } = await ask(`/schedule/tasks/${name}/run`, { key: clerk.key, body: { dry: true } })
    const { data: run } = await ask(`/schedule/tasks/${name}/run`, { key: clerk.key, body: {} })

    await eventually(async () => {
      const { data } = await ask(`/schedule/executions/${String(run['execution']?.['id'])}`, { key: clerk.key })
      expect(data).toMatchObject({ state: 'failed', error: { code: 'FORBIDDEN', message: `${owner.id}, whose task this is, was revoked` } })
    })
    expect(foreseen['would']).toMatchObject({ allowed: false, reason: expect.stringContaining('was revoked') })
  })
})

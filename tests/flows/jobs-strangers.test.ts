import { beforeAll, describe, expect, it } from 'vitest'
import { admin, ask, makeKey, rpc, unique } from './client.ts'
import { enqueued, inState } from './jobs.ts'

let owner: { key: string; tenant: string }
let stranger: { key: string }
let job: string
const $id = unique('note')

beforeAll(async () => {
  const permissions = ['jobs:write', 'jobs:read', 'things:write', 'things:read']
  owner = await makeKey({ tenant: unique('owner'), permissions })
  stranger = await makeKey({ tenant: unique('stranger'), permissions })
  job = await enqueued(owner.key, { type: 'db.upsert', payload: { $type: 'Note', $id, content: 'secret' }, delaySeconds: 3600 })
})

describe('a stranger', () => {
  it.each([
    ['reads', 'GET', ''],
    ['cancels', 'DELETE', ''],
    ['retries', 'POST', '/retry'],
    ['tells the progress of', 'POST', '/progress'],
  ])('%s no job of another tenant', async (_name, method, path) => {
    const body = path === '/progress' ? { progress: { done: 1 } } : path === '' ? undefined : {}
    const { status, text } = await ask(`/queue/jobs/${job}${path}`, { method, key: stranger.key, body })

    expect(status).toBe(404)
    expect(text).not.toContain('secret')
    expect((await ask(`/queue/jobs/${job}`, { key: owner.key })).data).toMatchObject({ state: 'delayed', progress: null })
  })

  it('finds none of them, in lists, counts and redrives', async () => {
    expect((await ask('/queue/jobs', { key: stranger.key })).data['items']).toEqual([])
    expect((await ask('/queue/stats', { key: stranger.key })).data['states']).toMatchObject({ delayed: 0 })
    expect((await ask('/queue/redrive', { key: stranger.key, body: {} })).data).toEqual({ redriven: 0, remaining: 0 })
    for (const path of [`/queue/jobs?ns=${owner.tenant}`, `/queue/stats?ns=${owner.tenant}`]) expect((await ask(path, { key: stranger.key })).status).toBe(404)
  })

  it('enqueues nothing that it may not do itself', async () => {
    const { key } = await makeKey({ tenant: unique('clerk'), permissions: ['jobs:write', 'jobs:read'] })

    for (const type of ['db.upsert', 'db.backup', 'auth.cleanUpKeys', 'queue.cleanUpJobs'])
      expect((await ask('/queue/jobs', { key, body: { type, payload: type === 'db.upsert' ? { $type: 'Note' } : {} } })).error['code']).toBe('FORBIDDEN')
  })

  it('settles no types', async () => {
    expect((await ask('/queue/types/db.upsert', { method: 'PATCH', key: stranger.key, body: { concurrency: 1 } })).status).toBe(403)
  })

  it('reaches nothing from another service’s role but what is granted to all', async () => {
    const execute = (sql: string) => rpc('DB_AS_DEPLOY', 'execute', { statements: [{ sql, params: [] }] })

    for (const sql of [
      'select * from queue.jobs',
      `select queue.turn('[]', array['${job}'], 'me', now(), now())`,
      `select queue.again('[{"id": "${job}"}]', now())`,
    ])
      expect((await execute(sql)).error['code']).toBe('FORBIDDEN')
    expect((await execute(`select queue.cancel('${job}', now())`)).value['results']).toMatchObject([{ rows: [[null]] }])
    expect((await ask(`/queue/jobs/${job}`, { key: owner.key })).data).toMatchObject({ state: 'delayed' })
  })
})

describe('a key that is revoked', () => {
  it('does nothing any more, though its jobs were accepted', async () => {
    const { key, id, tenant } = await makeKey({ tenant: unique('leaver'), permissions: ['jobs:write', 'jobs:read', 'things:write'] })
    const left = unique('note')
    const accepted = await enqueued(key, { type: 'db.upsert', payload: { $type: 'Note', $id: left }, delaySeconds: 1 })
    await admin(`/auth/apikeys/${id}`, { method: 'DELETE' })

    const keeper = await makeKey({ tenant, permissions: ['jobs:read', 'things:read'] })
    const dead = await inState(keeper.key, accepted, 'dead')

    expect(dead['errors']).toMatchObject([{ code: 'FORBIDDEN' }])
    expect((await ask(`/db/things/${left}`, { key: keeper.key })).status).toBe(404)
  })
})

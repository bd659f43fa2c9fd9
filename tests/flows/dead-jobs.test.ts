import { describe, expect, it } from 'vitest'
import { ask, makeKey, unique } from './client.ts'
import { enqueued, inState } from './jobs.ts'

const makeAsker = () => makeKey({ tenant: unique('dead'), permissions: ['jobs:write', 'jobs:read', 'things:write', 'things:read'] })

describe('a poison job', () => {
  it('dies after its attempts with every error kept, and delays nobody behind it', async () => {
    const { key } = await makeAsker()
    const poison = await enqueued(key, { type: 'db.restore', payload: { id: 'no/such', version: 1 }, maxAttempts: 2, backoffSeconds: 1 })
    const behind = await enqueued(key, { type: 'db.upsert', payload: { $type: 'Note' } })

    const done = await inState(key, behind, 'completed')
    const dead = await inState(key, poison, 'dead')

    expect(dead['errors']).toMatchObject([
      { attempt: 1, code: 'NOT_FOUND' },
      { attempt: 2, code: 'NOT_FOUND' },
    ])
    expect(Date.parse(String(done['finishedAt']))).toBeLessThan(Date.parse(String(dead['finishedAt'])))
  })

  it('is found among the dead, mended and run again', async () => {
    const { key } = await makeAsker()
    const $id = unique('note')
    const id = await enqueued(key, { type: 'db.update', payload: { id: $id, content: 'new' }, maxAttempts: 1 })
    await inState(key, id, 'dead')
    const other = unique('other')
    await ask('/db/things', { key, body: { $type: 'Note', $id: other } })

    const { data } = await ask('/queue/jobs?state=dead&errorCode=NOT_FOUND&type=db.update', { key })
    expect((data['items'] as unknown as { id: string }[]).map((job) => job.id)).toEqual([id])
    await ask(`/queue/jobs/${id}/retry`, { key, body: { payload: { id: other, content: 'new' } } })

    await inState(key, id, 'completed')
    expect((await ask(`/db/things/${other}`, { key })).data).toMatchObject({ content: 'new' })
  })

  it('is redriven with all like it', async () => {
    const { key } = await makeAsker()
    const names = [unique('a'), unique('b')]
    const ids: string[] = []
    for (const id of names) ids.push(await enqueued(key, { type: 'db.update', payload: { id, content: 'x' }, maxAttempts: 1 }))
    for (const id of ids) await inState(key, id, 'dead')
    for (const $id of names) await ask('/db/things', { key, body: { $type: 'Note', $id } })

    const { data } = await ask('/queue/redrive', { key, body: { type: 'db.update' } })

    expect(data).toEqual({ redriven: 2, remaining: 0 })
    for (const id of ids) await inState(key, id, 'completed')
  })
})

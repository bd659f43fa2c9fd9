import { beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { ask, makeKey, unique, type Loose } from './client.ts'
import { enqueued, inState } from './jobs.ts'

let key: string

beforeEach(async () => {
  key = (await makeKey({ tenant: unique('flows'), permissions: ['jobs:write', 'jobs:read', 'things:read', 'things:write'] })).key
})

const begin = (steps: unknown[], more: object = {}) => enqueued(key, { type: 'queue.workflow', payload: { steps }, ...more })
const upsert = (name: string, payload: object, more: object = {}) => ({ name, type: 'db.upsert', payload, ...more })
const stepsOf = async (id: string) => (await ask(`/queue/jobs?parent=${id}`, { key })).data['items'] as unknown as Loose[]
const resultsOf = (job: Loose) => job['result']?.['results']

describe('a workflow', () => {
  it('runs its steps one after another, each with what earlier ones answered', async () => {
    const id = await begin([
      upsert('first', { $type: 'Note', content: 'one' }),
      upsert('second', { $type: 'Note', content: 'two', data: { after: { $result: 'first.$id' }, whole: { $result: 'first' } } }),
      { name: 'third', type: 'db.relate', payload: { from: { $result: 'second.$id' }, predicate: 'follows', to: { $result: 'first.$id' } } },
    ])

    const job = await inState(key, id, 'completed')
    const steps = await stepsOf(id)

    const { first, second, third } = resultsOf(job) as unknown as Record<string, Loose>
    expect(first).toMatchObject({ content: 'one', version: 1 })
    expect(second).toMatchObject({ data: { after: first?.['$id'], whole: { content: 'one' } } })
    expect(third).toMatchObject({ from: second?.['$id'], to: first?.['$id'] })
    expect(steps.map(({ type, state, parent, createdBy }) => [type, state, parent, createdBy])).toEqual([
      ['db.relate', 'completed', id, job['createdBy']],
      ['db.upsert', 'completed', id, job['createdBy']],
      ['db.upsert', 'completed', id, job['createdBy']],
    ])
  })

  it('sleeps between steps, and no longer', async () => {
    const id = await begin([
      upsert('before', { $type: 'Note' }),
      { name: 'nap', sleepSeconds: 1 },
      { name: 'past', sleepUntil: '2020-01-01T00:00:00Z' },
      upsert('after', { $type: 'Note' }),
    ])

    const job = await inState(key, id, 'completed')

    const { before, after } = resultsOf(job) as unknown as Record<string, { createdAt: string }>
    expect(Date.parse(after?.createdAt ?? '') - Date.parse(before?.createdAt ?? '')).toBeGreaterThanOrEqual(1_000)
    expect(job['attempts']).toBe(1)
  })

  it('is dead as soon as a step is, with the step’s reason, and goes on from there when somebody retries it', async () => {
    const later = unique('later')
    const id = await begin([
      upsert('made', { $type: 'Note' }),
      { name: 'changed', type: 'db.update', payload: { id: later, content: 'x' }, maxAttempts: 1 },
      upsert('after', { $type: 'Note', data: { version: { $result: 'changed.version' } } }),
    ])
    const dead = await inState(key, id, 'dead')
    await ask('/db/things', { key, body: { $id: later, $type: 'Note' } })

    await ask(`/queue/jobs/${id}/retry`, { key, body: {} })
    const job = await inState(key, id, 'completed')

    expect(dead['errors']).toMatchObject([{ attempt: 1, code: 'NOT_FOUND', message: expect.stringContaining('Step changed') as string }])
    expect(resultsOf(job)).toMatchObject({ changed: { $id: later, version: 2 }, after: { data: { version: 2 } } })
    expect(await stepsOf(id)).toHaveLength(3)
  })

  it('ends its steps when it is cancelled, and begins no further ones', async () => {
    const id = await begin([
      { name: 'inner', type: 'queue.workflow', payload: { steps: [{ name: 'long', sleepSeconds: 3_000 }] } },
      upsert('never', { $type: 'Note' }),
    ])
    const inner = await eventually(async () => {
      const [step] = await stepsOf(id)
      expect(step?.['state']).toBe('delayed')
      return step
    })

    await ask(`/queue/jobs/${id}`, { key, method: 'DELETE' })

    await inState(key, id, 'cancelled')
    await inState(key, String(inner?.['id']), 'cancelled')
    expect(await stepsOf(id)).toHaveLength(1)
  })

  it('holds workflows within it', async () => {
    const id = await begin([
      { name: 'inner', type: 'queue.workflow', payload: { steps: [upsert('note', { $type: 'Note', content: 'deep' })] } },
      upsert('outer', { $type: 'Note', content: { $result: 'inner.results.note.content' } }),
    ])

    const job = await inState(key, id, 'completed')

    expect(resultsOf(job)).toMatchObject({ outer: { content: 'deep' } })
  })

  it('dies of a reference to what no earlier step answered, and of a payload that its step does not take', async () => {
    const missing = await begin([upsert('a', { $type: 'Note', data: { x: { $result: 'later.y' } } })])
    const unfit = await begin([upsert('a', { $type: 'Note' }), upsert('b', { $type: { $result: 'a.version' } })])

    expect((await inState(key, missing, 'dead'))['errors']).toMatchObject([{ code: 'INVALID', message: 'Step a: No earlier step answered later.y' }])
    expect((await inState(key, unfit, 'dead'))['errors']).toMatchObject([{ code: 'INVALID', message: expect.stringContaining('Step b') as string }])
    expect(await stepsOf(missing)).toEqual([])
  })

  it.each([
    ['two steps of one name', [upsert('a', { $type: 'Note' }), { name: 'a', sleepSeconds: 1 }], 'payload.steps.1.name'],
    ['no steps', [], 'payload.steps'],
    ['a step that is two things', [{ name: 'a', type: 'db.upsert', sleepSeconds: 1 }], 'payload.steps.0.sleepSeconds'],
  ])('with %s is refused at once', async (_what, steps, path) => {
    const { status, error } = await ask('/queue/jobs', { key, body: { type: 'queue.workflow', payload: { steps } } })

    expect(status).toBe(400)
    expect(JSON.stringify(error['details'])).toContain(`"path":"${path}"`)
  })

  it('gives its steps no more than whoever began it may', async () => {
    const weak = await makeKey({ tenant: unique('flows'), permissions: ['jobs:write', 'jobs:read'] })
    const id = await enqueued(weak.key, { type: 'queue.workflow', payload: { steps: [upsert('a', { $type: 'Note' })] } })

    const job = await inState(weak.key, id, 'dead')

    expect(job['errors']).toMatchObject([{ code: 'FORBIDDEN' }])
  })
})

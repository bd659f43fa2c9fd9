import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { ask, makeKey, unique } from './client.ts'

describe('a group', () => {
  it('has its jobs done one after another in the order they were enqueued, over all lanes, while other jobs go by', async () => {
    const { key } = await makeKey({ tenant: unique('groups'), permissions: ['jobs:write', 'jobs:read', 'things:write', 'things:read'] })
    const [one, two] = [unique('one'), unique('two')]
    const write = ($id: string, step: number) => ({
      type: 'db.upsert',
      payload: { $type: 'Note', $id, content: String(step) },
      group: $id,
      priority: (step * 7) % 10,
    })
    const steps = Array.from({ length: 10 }, (_, step) => step)

    for (const step of steps)
      await ask('/queue/jobs/batch', { key, body: { jobs: [write(one, step), write(two, step), { ...write(unique('loose'), step), group: undefined }] } })
    await eventually(async () => {
      const { data } = await ask('/queue/stats', { key })
      expect(data['states']).toMatchObject({ completed: 30 })
    })

    for (const $id of [one, two]) {
      const { data } = await ask(`/db/history/${$id}?limit=100`, { key })
      const contents = (data['items'] as unknown as { content: string }[]).map(({ content }) => content)
      expect(contents.toReversed()).toEqual(steps.map(String))
    }
  })
})

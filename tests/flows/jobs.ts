import { expect } from 'vitest'
import { eventually } from '../eventually.ts'
import { ask, type Loose } from './client.ts'

/** Puts a job into the queue; its id. */
export async function enqueued(key: string, job: Record<string, unknown>): Promise<string> {
  const { status, data, error } = await ask('/queue/jobs', { key, body: job })
  expect({ status, error }).toEqual({ status: 201, error: undefined })
  return String(data['id'])
}

/** A job once it is in this state, with what it was given and what came of it. */
export function inState(key: string, id: string, state: string): Promise<Loose> {
  return eventually(async () => {
    const { data } = await ask(`/queue/jobs/${id}`, { key })
    expect(data).toMatchObject({ id, state })
    return data
  })
}

import type { Env } from './env.ts'

/** What lies in a lane: jobs to look at. Whether they are due, and whether they are there at all, the table says. */
export interface Hint {
  jobs: string[]
}

/** A job that somebody should look at, and how soon. */
export interface Woken {
  id: string
  priority: number
}

/** The lanes, by the names of their queues. */
export const LANES = { 'jobs-high': 'JOBS_HIGH_QUEUE', 'jobs-normal': 'JOBS_NORMAL_QUEUE', 'jobs-low': 'JOBS_LOW_QUEUE' } as const

/** The name of a lane's queue. */
export type Lane = keyof typeof LANES

/** So many jobs one message names, and so many messages one sending has. */
const MAX_JOBS = 100
const MAX_MESSAGES = 100

/** Which lane a priority belongs to. */
export function laneOf(priority: number): Lane {
  if (priority >= 7) return 'jobs-high'
  return priority >= 3 ? 'jobs-normal' : 'jobs-low'
}

/** Whether this is the queue of a lane. */
export function isLane(queue: string): queue is Lane {
  return Object.hasOwn(LANES, queue)
}

/** Lets lanes look at jobs, each at those of its own priorities. */
export async function sendHints(woken: readonly Woken[], env: Pick<Env, (typeof LANES)[Lane]>): Promise<void> {
  const sendings = Object.entries(LANES).flatMap(([lane, binding]) => {
    const jobs = woken.filter(({ priority }) => laneOf(priority) === lane).map(({ id }) => id)
    const messages = chunks(jobs, MAX_JOBS).map((chunk) => ({ body: { jobs: chunk } }))
    return chunks(messages, MAX_MESSAGES).map((chunk) => (chunk.length === 1 && chunk[0] ? env[binding].send(chunk[0].body) : env[binding].sendBatch(chunk)))
  })
  await Promise.all(sendings)
}

/** The ids a message names; none where it is no hint, since anybody with the account's keys may put messages into a queue. */
export function hinted(body: unknown): string[] {
  if (typeof body !== 'object' || body === null || !('jobs' in body) || !Array.isArray(body.jobs)) return []
  return body.jobs.filter((id): id is string => typeof id === 'string').slice(0, MAX_JOBS)
}

function chunks<Value>(values: readonly Value[], size: number): Value[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) => values.slice(index * size, (index + 1) * size))
}

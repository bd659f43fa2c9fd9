import { expect, it } from 'vitest'
import { requiredQueues } from '../required-queues.ts'

const worker = (queues: object) => ({ config: { name: 'x', main: 'x.ts', compatibility_date: '2026-11-01', queues } })

it('lists the queues that are sent to, taken from, and left to, each once', () => {
  const sender = worker({ producers: [{ binding: 'JOBS_QUEUE', queue: 'jobs' }] })
  const taker = worker({ consumers: [{ queue: 'jobs', dead_letter_queue: 'jobs-dlq' }, { queue: 'audit' }] })

  expect(requiredQueues([sender, taker, { config: { name: 'x', main: 'x.ts', compatibility_date: '2026-11-01' } }])).toEqual(['audit', 'jobs', 'jobs-dlq'])
})

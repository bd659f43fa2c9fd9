import { describe, expect, it } from 'vitest'
import { ServiceError } from '@dot-do/worker-utils'
import { laneOf } from '../src/hint.ts'
import type { ClaimedJob } from '../src/job-row.ts'
import { backoffMs, settlementOf } from '../src/settling.ts'
import { memoryBucket } from './memory-bucket.ts'

const job = { id: 'job_1', attempts: 1, maxAttempts: 3, backoffSeconds: 60 } as ClaimedJob // settling looks at nothing else

describe('the wait for another attempt', () => {
  it.each([
    [1, 60, 0, 60],
    [2, 60, 0, 120],
    [3, 60, 0, 240],
    [1, 60, 0.999, 74.985],
    [7, 60, 0, 3600],
    [20, 3600, 0.999, 3600],
    [1, 1, 0, 1],
  ])('after attempt %i of %i s, with chance %d, is %d s', (attempts, backoffSeconds, random, seconds) => {
    expect(backoffMs({ attempts, backoffSeconds }, random) / 1000).toBeCloseTo(seconds, 3)
  })
})

describe('what an attempt makes of a job', () => {
  const env = { QUEUE_BUCKET: memoryBucket().bucket as R2Bucket }
  const error = new ServiceError('UPSTREAM', 'They said \u0000 and \ud800')

  it.each([
    ['a failure, another attempt', job, { kind: 'failed', error, final: false }, 'failed'],
    ['the last failure, death', { ...job, attempts: 3 }, { kind: 'failed', error, final: false }, 'dead'],
    ['a failure for good, death', job, { kind: 'failed', error, final: true }, 'dead'],
    ['a cancellation, its end', job, { kind: 'cancelled' }, 'cancelled'],
    ['waiting, a delay', job, { kind: 'parked', until: '2030-01-01T00:00:00.000Z' }, 'delayed'],
  ] as const)('%s', async (_name, about, outcome, state) => {
    expect(await settlementOf(about, outcome, env)).toMatchObject({ id: 'job_1', state })
  })

  it('keeps an error in words that the database can store', async () => {
    const { error: kept } = await settlementOf(job, { kind: 'failed', error, final: false }, env)

    expect(kept).toMatchObject({ attempt: 1, code: 'UPSTREAM', message: 'They said \ufffd and \ufffd' })
  })

  it.each([
    ['what the database cannot store', { text: '\u0000' }],
    ['more than 128 KiB', { text: 'x'.repeat(140_000) }],
  ])('keeps %s in R2', async (_name, result) => {
    expect(await settlementOf(job, { kind: 'completed', result }, env)).toEqual({ id: 'job_1', state: 'completed', result_key: 'results/job_1' })
  })
})

describe('a priority', () => {
  it('belongs to one of three lanes', () => {
    expect(Array.from({ length: 10 }, (_, priority) => laneOf(priority))).toEqual([
      ...Array<string>(3).fill('jobs-low'),
      ...Array<string>(4).fill('jobs-normal'),
      ...Array<string>(3).fill('jobs-high'),
    ])
  })
})

import { checkHealth } from '@dot-do/worker-kernel/health'
import { ServiceError } from '@dot-do/worker-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const contract = { name: 'notes', version: '1.2.3' }

describe('checkHealth', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 0 }))
  afterEach(() => void vi.useRealTimers())

  it('is ok without anything to try', async () => {
    expect(await checkHealth(contract, {})).toEqual({ status: 'ok', service: 'notes', version: '1.2.3', checks: {} })
  })

  it.each([
    [['ok', 'ok'], 'ok'],
    [['ok', 'degraded'], 'degraded'],
    [['degraded', 'error'], 'error'],
    [['error', 'ok'], 'error'],
  ] as const)('of %j is the worst: %s', async (statuses, worst) => {
    const probes = Object.fromEntries(statuses.map((status, index) => [`probe${index}`, async () => ({ status })]))

    const health = await checkHealth(contract, probes)

    expect(health.status).toBe(worst)
    expect(Object.values(health.checks).map(({ status }) => status)).toEqual(statuses)
  })

  it('tells how long each check took, all at once', async () => {
    const probe = (ms: number) => () => new Promise<void>((resolve) => setTimeout(resolve, ms))
    const pending = checkHealth(contract, { fast: probe(5), slow: probe(50) })

    await vi.advanceTimersByTimeAsync(50)

    expect((await pending).checks).toEqual({ fast: { status: 'ok', latencyMs: 5 }, slow: { status: 'ok', latencyMs: 50 } })
  })

  it('hands on what a probe says of itself', async () => {
    const { checks } = await checkHealth(contract, { mail: async () => ({ status: 'degraded', message: 'RESEND_API_KEY is not set' }) })

    expect(checks['mail']).toEqual({ status: 'degraded', message: 'RESEND_API_KEY is not set', latencyMs: 0 })
  })

  it('leaves no timer behind', async () => {
    await checkHealth(contract, { fine: async () => undefined })

    expect(vi.getTimerCount()).toBe(0)
  })

  it('gives up on a probe that does not answer', async () => {
    const pending = checkHealth(contract, { hung: () => new Promise(() => undefined), fine: async () => undefined })

    await vi.advanceTimersByTimeAsync(3_000)

    expect((await pending).checks).toEqual({
      hung: { status: 'error', latencyMs: 3_000, message: 'No answer within 3 s' },
      fine: { status: 'ok', latencyMs: 0 },
    })
  })

  it.each([
    ['a failure of ours', new ServiceError('UNAVAILABLE', 'The database cannot be reached'), 'The database cannot be reached'],
    ['a failure that crossed RPC', Object.assign(new Error('Too busy'), { code: 'RATE_LIMITED' }), 'Too busy'],
    ['a stranger, which may name hosts and users', new Error('no route to hunter2@10.0.0.1'), 'failed'],
  ])('says of %s only what is public', async (_, thrown, message) => {
    const { status, checks } = await checkHealth(contract, { db: () => Promise.reject(thrown) })

    expect([status, checks['db']?.status, checks['db']?.message]).toEqual(['error', 'error', message])
  })

  it('survives a probe that throws before it waits', async () => {
    const { checks } = await checkHealth(contract, {
      db: () => {
        throw new Error('hunter2')
      },
    })

    expect(checks['db']).toMatchObject({ status: 'error', message: 'failed' })
  })
})

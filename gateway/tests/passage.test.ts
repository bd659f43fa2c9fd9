import { ServiceError } from '@dot-do/worker-utils'
import { describe, expect, it } from 'vitest'
import { HeldBack, inTime, isHeldBack, pass } from '../src/passage.ts'

let number = 0

/** A service that nobody has called yet. */
function fresh(isRepeatable = false) {
  return { service: `service-${++number}`, timeoutMs: 60_000, isRepeatable }
}

/** What answers each call in turn. */
function answering(...outcomes: (string | Error)[]) {
  const calls = { count: 0 }
  const perform = () => {
    const outcome = outcomes[Math.min(calls.count++, outcomes.length - 1)]
    return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome)
  }
  return { calls, perform }
}

const gone = () => new Error('Network connection lost.')
const unavailable = () => new ServiceError('UNAVAILABLE', 'No model is bound')
const thrownBy = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (thrown: ServiceError) => thrown,
  )

describe('a call to a service', () => {
  it.each([
    ['was gone', gone],
    ['said it was not to be had', unavailable],
  ])('that does no harm is made once more where the service %s', async (_what, failure) => {
    const { calls, perform } = answering(failure(), 'there')

    expect(await pass(fresh(true), perform)).toBe('there')
    expect(calls.count).toBe(2)
  })

  it('is made twice at most', async () => {
    const { calls, perform } = answering(gone())

    expect(await thrownBy(pass(fresh(true), perform))).toMatchObject({ code: 'UNAVAILABLE' })
    expect(calls.count).toBe(2)
  })

  it('that changes something is made once', async () => {
    const { calls, perform } = answering(gone(), 'there')

    expect(await thrownBy(pass(fresh(), perform))).toMatchObject({
      code: 'UNAVAILABLE',
      cause: expect.objectContaining({ message: gone().message }) as unknown,
    })
    expect(calls.count).toBe(1)
  })

  it.each(['INVALID', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'INTERNAL', 'RATE_LIMITED'] as const)('that is answered %s is not repeated', async (code) => {
    const { calls, perform } = answering(new ServiceError(code, 'no'))

    expect(await thrownBy(pass(fresh(true), perform))).toMatchObject({ code })
    expect(calls.count).toBe(1)
  })

  it('is not waited for beyond its time, and not repeated then', async () => {
    const calls = { count: 0 }
    const never = () => {
      calls.count++
      return new Promise<never>(() => {})
    }

    expect(await thrownBy(pass({ ...fresh(true), timeoutMs: 1 }, never))).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('did not answer within') as unknown,
    })
    expect(calls.count).toBe(1)
  })

  it('keeps no timer once it is over', async () => {
    expect(await inTime({ service: 'any', timeoutMs: 2_147_483_647 }, () => Promise.resolve(1))).toBe(1)
  })
})

describe('a service that was lost again and again', () => {
  it('is sent nothing more, says so, and hinders no other', async () => {
    const passage = fresh()
    const { calls, perform } = answering(gone())
    for (let count = 0; count < 5; count++) await thrownBy(pass(passage, perform))

    const refused = await thrownBy(pass(passage, perform))

    expect(refused).toBeInstanceOf(HeldBack)
    expect(refused).toMatchObject({ code: 'UNAVAILABLE', retryAfterSeconds: 5 })
    expect(calls.count).toBe(5)
    expect(isHeldBack(passage.service)).toBe(true)
    expect(await pass(fresh(), answering('there').perform)).toBe('there')
  })

  it.each([
    ['refuses', new ServiceError('INVALID', 'no')],
    ['has a fault of its own', new ServiceError('INTERNAL', 'oops')],
    ['says that it cannot now', unavailable()],
    ['gives more than fits', new Error('Serialized RPC arguments or return values are limited to 32MiB, but the size of this value was: 40000000 bytes.')],
  ])('is not one that %s, however often', async (_what, failure) => {
    const passage = fresh()
    for (let count = 0; count < 50; count++) await thrownBy(pass(passage, answering(failure).perform))

    expect(isHeldBack(passage.service)).toBe(false)
  })
})

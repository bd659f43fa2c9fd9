import { describe, expect, it } from 'vitest'
import { retry } from '../src/retry.ts'
import { ServiceError } from '../src/service-error.ts'

const unavailable = new ServiceError('UNAVAILABLE', 'Later')

/** A sleep that only remembers for how long. */
function recordedSleep() {
  const waits: number[] = []
  return { waits, sleep: async (ms: number) => void waits.push(ms) }
}

describe('retry', () => {
  it('tries a transient failure again until it works', async () => {
    const { waits, sleep } = recordedSleep()

    const result = await retry(async (attempt) => (attempt < 3 ? Promise.reject(unavailable) : attempt), { sleep, random: () => 0.5 })

    expect(result).toBe(3)
    expect(waits).toEqual([50, 100])
  })

  it('throws the last failure as it came when attempts run out', async () => {
    const { waits, sleep } = recordedSleep()

    const outcome = retry(() => Promise.reject(unavailable), { attempts: 4, sleep })

    await expect(outcome).rejects.toBe(unavailable)
    expect(waits).toHaveLength(3)
  })

  it('doubles the wait up to the cap', async () => {
    const { waits, sleep } = recordedSleep()

    await retry(() => Promise.reject(unavailable), { attempts: 6, baseMs: 100, capMs: 500, sleep, random: () => 1 }).catch(() => undefined)

    expect(waits).toEqual([100, 200, 400, 500, 500])
  })

  it.each([
    ['a failure for good', new ServiceError('INVALID', 'No')],
    ['a stranger', new Error('x')],
  ])('does not try %s again', async (_, failure) => {
    let attempts = 0

    const outcome = retry(async () => {
      attempts++
      throw failure
    })

    await expect(outcome).rejects.toBe(failure)
    expect(attempts).toBe(1)
  })

  it('lets the caller say what may be tried again', async () => {
    const { sleep } = recordedSleep()

    const result = await retry(async (attempt) => (attempt === 1 ? Promise.reject(new TypeError('network')) : 'ok'), {
      sleep,
      isRetryable: (thrown) => thrown instanceof TypeError,
    })

    expect(result).toBe('ok')
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TokenVerification } from '../src/access-token.ts'
import { TokenCheck } from '../src/token-check.ts'
import { signer, verificationOf } from './tokens.ts'

const current = await signer('current')
const next = await signer('next')

/** A check within one isolate, and an auth that says what it is told to, or nothing. */
function isolate(said: TokenVerification | undefined = verificationOf([current.key])) {
  const check = new TokenCheck()
  const auth: { said: TokenVerification | undefined; asked: number } = { said, asked: 0 }
  const ask = async () => {
    auth.asked += 1
    if (!auth.said) throw new Error('no answer')
    return auth.said
  }
  const waiting: Promise<unknown>[] = []
  const asking = { ask, waitUntil: (promise: Promise<unknown>) => void waiting.push(promise) }
  return {
    auth,
    settled: () => Promise.all(waiting),
    of: async (token: string, maxAgeMs?: number) => check.recall(token, { ...asking, maxAgeMs }) ?? check.principalOf(token, { ...asking, maxAgeMs }),
  }
}

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }))
afterEach(() => void vi.useRealTimers())

describe('what it takes to verify tokens', () => {
  it('is asked for once, however many tokens come', async () => {
    const { auth, of } = isolate()
    for (const jti of ['one', 'two', 'three']) await of(await current.sign({ jti }))

    expect(auth.asked).toBe(1)
  })

  it('is asked for again behind an answer from the third second on, and before one from the fifth', async () => {
    const { auth, of, settled } = isolate()
    const token = await current.sign()
    await of(token)

    vi.advanceTimersByTime(2_999)
    await of(token)
    expect(auth.asked).toBe(1)

    vi.advanceTimersByTime(1)
    await of(token)
    await settled()
    expect(auth.asked).toBe(2)

    auth.said = verificationOf([current.key], [{ subject: 'user_alice', before: new Date().toISOString() }])
    vi.advanceTimersByTime(5_000)
    await expect(of(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(auth.asked).toBe(3)
  })

  it('counts its age from before it was asked for', async () => {
    const { auth, of } = isolate()
    const token = await current.sign()
    auth.said = undefined
    await expect(of(token)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const slow = isolate()
    const ask = slow.of(token)
    vi.advanceTimersByTime(1_500)
    await ask

    vi.advanceTimersByTime(3_500)
    await slow.of(token)

    expect(slow.auth.asked).toBe(2)
  })

  it('may be asked for to be newer', async () => {
    const { auth, of } = isolate()
    const token = await current.sign()
    await of(token)

    vi.advanceTimersByTime(1_000)
    await of(token, 1_000)

    expect(auth.asked).toBe(2)
  })

  it('is used for a minute while auth does not answer, and is asked for once a second', async () => {
    const { auth, of } = isolate()
    const token = await current.sign()
    await of(token)
    auth.said = undefined

    vi.advanceTimersByTime(59_000)
    await expect(of(token)).resolves.toMatchObject({ id: 'user_alice' })
    await expect(of(token)).resolves.toMatchObject({ id: 'user_alice' })
    expect(auth.asked).toBe(2)

    vi.advanceTimersByTime(1_000)
    await expect(of(token)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('is asked for again when a key is not known, at most once a second', async () => {
    const { auth, of } = isolate()
    await of(await current.sign())
    const token = await next.sign()

    await expect(of(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringContaining('not known') })
    expect(auth.asked).toBe(1)

    vi.advanceTimersByTime(1_000)
    for (const _ of [1, 2, 3]) await expect(of(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(auth.asked).toBe(2)

    vi.advanceTimersByTime(1_000)
    auth.said = verificationOf([current.key, next.key])
    await expect(of(token)).resolves.toMatchObject({ id: 'user_alice' })
  })

  it.each(['', 'nonsense', 'eyJhbGciOiJub25lIn0.e30.', 'eyJhbGciOiJIUzI1NiJ9.e30.AAAA'])('is not asked for on account of %j', async (token) => {
    const { auth, of } = isolate()

    await expect(of(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })

    expect(auth.asked).toBe(0)
  })
})

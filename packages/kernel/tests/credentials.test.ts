import { identify, type HasAuth } from '@dot-do/worker-kernel/credentials'
import type { CallOptions } from '@dot-do/worker-types'
import { generateApiKey } from '@dot-do/worker-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { person } from './harness.ts'

type Verdict = Awaited<ReturnType<NonNullable<HasAuth['AUTH_SERVICE']>['verifyKey']>>

const call = { requestId: 'req_test', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
const nowhere = { address: '', call }
const alice = person('key_alice', ['notes:read'])

/** An auth service that gives one verdict and remembers what it was asked. */
function asking(verdict: Verdict = { valid: true, principal: alice }) {
  const verifyKey = vi.fn(async (_: { key: string; address?: string | undefined }, _call?: CallOptions) => verdict)
  const tokenVerification = vi.fn(async () => ({ issuer: 'https://gateway.do', audience: 'https://gateway.do', keys: [], revoked: [] }))
  const env: HasAuth = { KEY_MODE: 'test', AUTH_SERVICE: { verifyKey, tokenVerification } }
  const token = generateApiKey('test')
  return { verifyKey, tokenVerification, env, token, ask: (address = '192.0.2.1') => identify({ scheme: 'bearer', token }, { address, call }, env) }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a key in force', () => {
  it('is whose auth says it is, asked with key and address within the same request and trace', async () => {
    const { verifyKey, token, ask } = asking()

    expect(await ask()).toEqual(alice)
    expect(verifyKey).toHaveBeenCalledExactlyOnceWith({ key: token, address: '192.0.2.1' }, call)
  })

  it('is remembered for less than five seconds', async () => {
    const { verifyKey, ask } = asking()
    await ask()

    vi.advanceTimersByTime(4_999)
    await ask('192.0.2.2')
    expect(verifyKey).toHaveBeenCalledTimes(1)

    vi.advanceTimersByTime(1)
    await ask()
    expect(verifyKey).toHaveBeenCalledTimes(2)
  })

  it('is remembered from before the question: a revocation that overtakes the answer lives no longer', async () => {
    const { verifyKey, ask } = asking()
    verifyKey.mockImplementationOnce(async () => {
      vi.advanceTimersByTime(3_000)
      return { valid: true, principal: alice }
    })
    await ask()

    vi.advanceTimersByTime(2_000)
    await ask()

    expect(verifyKey).toHaveBeenCalledTimes(2)
  })

  it('is not made to live longer by use', async () => {
    const { verifyKey, ask } = asking()
    for (const _ of [1, 2, 3]) {
      await ask()
      vi.advanceTimersByTime(2_500)
    }

    expect(verifyKey).toHaveBeenCalledTimes(2)
  })

  it('that is bound to addresses is remembered for the one it was sent from', async () => {
    const { verifyKey, ask } = asking({ valid: true, principal: alice, addressBound: true })
    await ask('192.0.2.1')
    await ask('192.0.2.1')
    expect(verifyKey).toHaveBeenCalledTimes(1)

    verifyKey.mockResolvedValueOnce({ valid: false, reason: 'address_refused' })
    await expect(ask('192.0.2.2')).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: 'This API key may not be used from here' })
  })

  it.each(['bearer', 'key'] as const)('is taken as %s', async (scheme) => {
    const { env, token } = asking()

    expect(await identify({ scheme, token }, nowhere, env)).toEqual(alice)
  })
})

describe('a credential that does not hold', () => {
  it.each([
    ['unknown', 'This API key is not known'],
    ['revoked', 'This API key was revoked'],
    ['expired', 'This API key has expired'],
    [undefined, 'This API key is not known'],
  ] as const)('is refused for the reason auth gives (%s), and asked about again', async (reason, message) => {
    const { verifyKey, ask } = asking({ valid: false, ...(reason && { reason }) })

    await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message })
    await expect(ask()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })

    expect(verifyKey).toHaveBeenCalledTimes(2)
  })

  const good = generateApiKey('test')
  const swapped = good.endsWith('0') ? '1' : '0'
  it.each([
    ['of another form', 'bearer', 'nonsense', 'form or checksum'],
    ['that is empty', 'bearer', '', 'form or checksum'],
    ['with a wrong checksum', 'key', good.slice(0, -1) + swapped, 'form or checksum'],
    ['with a space behind it', 'bearer', `${good} `, 'form or checksum'],
    ['in a cookie', 'cookie', good, 'form or checksum'],
    ['of the other sort of deployment', 'bearer', generateApiKey('live'), 'another sort of deployment'],
  ] as const)('%s is refused without asking auth', async (_, scheme, token, message) => {
    const { verifyKey, env } = asking()

    await expect(identify({ scheme, token }, nowhere, env)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringContaining(message) })

    expect(verifyKey).not.toHaveBeenCalled()
  })

  it('is told from one that cannot be checked here', async () => {
    await expect(identify({ scheme: 'bearer', token: generateApiKey('test') }, nowhere, { KEY_MODE: 'test' })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('is none in a deployment that does not say which keys it takes', async () => {
    const { env, token } = asking()
    delete env.KEY_MODE

    await expect(identify({ scheme: 'bearer', token }, nowhere, env)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})

describe('an access token', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const token = `${part({ alg: 'EdDSA', typ: 'at+jwt', kid: 'nobodys' })}.${part({ sub: 'user_alice' })}.AAAA`

  it.each([
    ['bearer', 1],
    ['cookie', 2],
  ] as const)('is checked by what auth says of all of them, sent as %s; auth is not asked for the one', async (scheme, hours) => {
    const { verifyKey, tokenVerification, env } = asking()
    vi.advanceTimersByTime(hours * 3_600_000) // what auth said in another test is forgotten

    await expect(identify({ scheme, token }, nowhere, env)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringContaining('not known') })

    expect(verifyKey).not.toHaveBeenCalled()
    expect(tokenVerification).toHaveBeenCalledWith({}, call)
  })

  it('is none where a key belongs', async () => {
    const { verifyKey, tokenVerification, env } = asking()

    await expect(identify({ scheme: 'key', token }, nowhere, env)).rejects.toMatchObject({ message: expect.stringContaining('form or checksum') })

    expect([verifyKey.mock.calls, tokenVerification.mock.calls]).toEqual([[], []])
  })
})

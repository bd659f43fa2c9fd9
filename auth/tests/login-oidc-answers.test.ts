import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newProviderAttempt } from '../src/login/attempt.ts'
import { Declined } from '../src/login/providers/provider.ts'
import { answerTo, beginAt, configured, honestProvider, hostileProvider, type HostileProvider } from './login-providers.ts'

let hostile: HostileProvider
let promising: HostileProvider
let honest: Awaited<ReturnType<typeof honestProvider>>

beforeAll(async () => {
  ;[hostile, promising, honest] = await Promise.all([
    hostileProvider(),
    hostileProvider(() => ({ authorization_response_iss_parameter_supported: true })),
    honestProvider(),
  ])
})
afterAll(() => Promise.all([hostile.stop(), promising.stop(), honest.stop()]))

describe('an answer is refused', () => {
  it('that names another provider as its issuer', async () => {
    const { attempt, answer } = await beginAt(hostile.provider)
    answer.searchParams.set('iss', honest.issuer)

    await expect(hostile.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('that names none, of a provider that promises to', async () => {
    const { attempt, answer } = await beginAt(promising.provider)
    const named = new URL(answer)
    named.searchParams.set('iss', promising.issuer)

    await expect(promising.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    await expect(promising.provider.finish(attempt, named)).resolves.toMatchObject({ subject: 'johndoe' })
  })

  it.each([
    ['without a state', (answer: URL) => answer.searchParams.delete('state')],
    ['with another state', (answer: URL) => answer.searchParams.set('state', 'a'.repeat(43))],
    ['with two states', (answer: URL) => answer.searchParams.append('state', 'a'.repeat(43))],
    ['without a code', (answer: URL) => answer.searchParams.delete('code')],
    ['with two codes', (answer: URL) => answer.searchParams.append('code', 'another')],
  ])('%s', async (_what, change) => {
    const { attempt, answer } = await beginAt(hostile.provider)
    change(answer)

    await expect(hostile.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('that came before', async () => {
    const { attempt, answer } = await beginAt(honest.provider)
    await honest.provider.finish(attempt, answer)

    await expect(honest.provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('whose code was got with another verifier, as one that was stolen', async () => {
    const [victim, thief] = await Promise.all([beginAt(honest.provider), beginAt(honest.provider)])
    thief.answer.searchParams.set('code', victim.answer.searchParams.get('code') ?? '')

    await expect(honest.provider.finish(thief.attempt, thief.answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('whose code was given to another client', async () => {
    const attempt = newProviderAttempt({ provider: 'acme', returnTo: '/' })
    const asked = new URL(await honest.provider.begin(attempt, {}))
    asked.searchParams.set('client_id', 'another')

    await expect(honest.provider.finish(attempt, await answerTo(asked))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('with a reason that is logged and holds neither the code nor the tokens', async () => {
    const [changed, spent] = await Promise.all([beginAt(hostile.provider), beginAt(honest.provider)])
    hostile.change(({ payload }) => (payload['nonce'] = 'another'))
    await honest.provider.finish(spent.attempt, spent.answer)

    const refusals = [changed, spent].map(({ attempt, answer }, index) =>
      (index === 0 ? hostile : honest).provider.finish(attempt, answer).catch((thrown: Error) => thrown.cause),
    )

    expect(await Promise.all(refusals)).toEqual([
      'OperationProcessingError OAUTH_JWT_CLAIM_COMPARISON_FAILED: unexpected ID Token "nonce" claim value',
      'ResponseBodyError OAUTH_RESPONSE_BODY_ERROR 400 invalid_grant: server responded with an error in the response body',
    ])
  })

  it('that says somebody declined, with what the provider called it', async () => {
    const { attempt, answer } = await beginAt(hostile.provider)
    answer.searchParams.delete('code')
    answer.searchParams.set('error', 'access_denied')

    const refusal = await hostile.provider.finish(attempt, answer).catch((thrown: unknown) => thrown)

    expect(refusal).toBeInstanceOf(Declined)
    expect(refusal).toMatchObject({ code: 'access_denied' })
  })
})

describe('a provider', () => {
  it('whose page was asked without PKCE by a changed link gives a code that is refused', async () => {
    const attempt = newProviderAttempt({ provider: 'acme', returnTo: '/' })
    const asked = new URL(await hostile.provider.begin(attempt, {}))
    asked.searchParams.delete('code_challenge')

    await expect(hostile.provider.finish(attempt, await answerTo(asked))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('that publishes another issuer than the one configured is not believed', async () => {
    const liar = await hostileProvider(() => ({ issuer: 'https://evil.example' }))

    await expect(beginAt(liar.provider)).rejects.toMatchObject({ code: 'UPSTREAM' })
    await liar.stop()
  })

  it('that is away is UPSTREAM, and is asked again the next time', async () => {
    const gone = await hostileProvider()
    await gone.stop()
    const provider = configured(gone.issuer)

    await expect(beginAt(provider)).rejects.toMatchObject({ code: 'UPSTREAM' })
    await expect(beginAt(provider)).rejects.toMatchObject({ code: 'UPSTREAM' })
  })
})

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../packages/local/src/host/ports.ts'
import { startWorkos, type LocalWorkos } from '../../packages/local/src/workos/emulator.ts'
import type { Env } from '../src/env.ts'
import { newProviderAttempt, type ProviderAttempt } from '../src/login/attempt.ts'
import { Declined, type Hints, type Provider } from '../src/login/providers/provider.ts'
import { workosProvider } from '../src/login/providers/workos.ts'
import { PLATFORM_URL } from './login-providers.ts'

const ORGANISATION = 'org_01LHCA00000000000000000ACM'
const CONNECTION = 'conn_01LHCA00000000000000000ACM'

let workos: LocalWorkos
let provider: Provider

const providerWith = (about: Partial<Env>): Provider => {
  const env = { PLATFORM_URL, WORKOS_API_KEY: workos.apiKey, WORKOS_CLIENT_ID: workos.clientId, WORKOS_API_URL: workos.url, ...about } as Env
  const made = workosProvider(env)
  if (!made) throw new Error('WorkOS is configured and yet there is none')
  return made
}

beforeAll(async () => {
  workos = await startWorkos(await freePort())
  provider = providerWith({})
})
afterAll(() => workos.close())

const ADA: Hints = { loginHint: 'ada@acme.example' }

async function begin(under?: ProviderAttempt['under'], hints = ADA): Promise<{ attempt: ProviderAttempt; answer: URL }> {
  const attempt = newProviderAttempt({ provider: 'workos', returnTo: '/', ...(under ? { under } : {}) })
  const page = await fetch(await provider.begin(attempt, hints), { redirect: 'manual' })
  return { attempt, answer: new URL(page.headers.get('location') ?? '') }
}

describe('a sign-in by WorkOS', () => {
  it('by AuthKit ends with the person and the one organisation they are in', async () => {
    const { attempt, answer } = await begin()

    const proved = await provider.finish(attempt, answer)

    expect(answer.searchParams.get('state')).toBe(attempt.state)
    expect(proved).toMatchObject({
      provider: 'workos',
      email: 'ada@acme.example',
      emailVerified: true,
      name: 'Ada Lovelace',
      providerOrganisation: ORGANISATION,
      providerOrganisationName: 'Acme',
    })
  })

  it.each([
    ['an organisation', { organisation: ORGANISATION }],
    ['a connection', { connection: CONNECTION }],
  ])('by SSO under %s ends with the profile, of an address under its verified domain', async (_what, under) => {
    const { attempt, answer } = await begin(under)

    expect(await provider.finish(attempt, answer)).toMatchObject({ email: 'ada@acme.example', emailVerified: true, providerOrganisation: ORGANISATION })
  })

  it('by SSO takes no address for proved that is outside the domains verified for the organisation', async () => {
    const { attempt, answer } = await begin({ connection: CONNECTION }, { loginHint: 'victim@bank.example' })

    expect(await provider.finish(attempt, answer)).toMatchObject({ email: 'victim@bank.example', emailVerified: false })
  })

  it('under one organisation is not taken for one under another', async () => {
    const { attempt, answer } = await begin({ organisation: ORGANISATION })

    const elsewhere = { ...attempt, under: { organisation: 'org_01AAAAAAAAAAAAAAAAAAAAAAAA' } }

    await expect(provider.finish(elsewhere, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it.each([
    ['by AuthKit', undefined],
    ['by SSO', { organisation: ORGANISATION }],
  ])('%s refuses a code that came before, and one that was got with another verifier', async (_what, under) => {
    const [own, stolen] = await Promise.all([begin(under), begin(under)])
    await provider.finish(own.attempt, own.answer)

    const refusal = await provider.finish(own.attempt, own.answer).catch((thrown: unknown) => thrown)
    expect(refusal).toMatchObject({ code: 'UNAUTHENTICATED' })
    // What is logged says what sort of failure it was: WorkOS's own words have the code in them.
    expect((refusal as Error).cause).toBe('GenericServerException invalid_code 400')
    await expect(provider.finish(own.attempt, stolen.answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('that somebody declined says so', async () => {
    const { attempt, answer } = await begin(undefined, { loginHint: 'nobody@acme.example' })

    await expect(provider.finish(attempt, answer)).rejects.toBeInstanceOf(Declined)
  })

  it('without a code is no proof', async () => {
    const { attempt, answer } = await begin()
    answer.searchParams.delete('code')

    await expect(provider.finish(attempt, answer)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  it('is UPSTREAM where WorkOS is away, and tells nothing of the key', async () => {
    const { attempt, answer } = await begin()
    const away = providerWith({ WORKOS_API_URL: `http://127.0.0.1:${await freePort()}` })

    await expect(away.finish(attempt, answer)).rejects.toMatchObject({ code: 'UPSTREAM', message: 'WorkOS did not answer; try again' })
  })
})

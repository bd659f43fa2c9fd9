import { encodeBase64url, equalConstantTime } from '@dot-do/worker-utils'
import * as z from 'zod'
import type { Env } from '../env.ts'
import { seal, unseal } from '../sessions/sealing.ts'
import { LOGIN, loginCookie, readCookie } from './cookies.ts'

/** How long somebody may take to sign in. */
const LIFETIME_SECONDS = 600

const common = {
  /** Where it ends: a whole URL, tried already. */
  returnTo: z.string(),
  organisation: z.string().optional(),
}

/** A sign-in under way. It travels in a sealed cookie, so that it belongs to one browser and nothing of it is kept here. */
const Attempt = z.discriminatedUnion('kind', [
  // The page of the form: what its next post must carry, and the address a code was sent to.
  z.object({ kind: z.literal('form'), token: z.string(), email: z.string().optional(), ...common }),
  // Somebody is at a provider's.
  z.object({
    kind: z.literal('provider'),
    provider: z.string(),
    state: z.string(),
    nonce: z.string(),
    verifier: z.string(),
    /** The provider's own id of the organisation or connection to sign in under. */
    under: z.object({ organisation: z.string().optional(), connection: z.string().optional() }).optional(),
    ...common,
  }),
])

const Sealed = z.object({ attempt: Attempt, until: z.number() })

const SEAL = { purpose: 'auth/login', context: 'cookie' }

type AnyAttempt = z.infer<typeof Attempt>

/** The sign-in page as it was shown to one browser. */
export type FormAttempt = Extract<AnyAttempt, { kind: 'form' }>

/** A sign-in that a provider is asked for. */
export type ProviderAttempt = Extract<AnyAttempt, { kind: 'provider' }>

/** What a page begins with: a token that only this browser's next form can carry. Each page has its own, so that one planted before is worth nothing. */
export function newForm(about: Pick<FormAttempt, 'returnTo' | 'organisation' | 'email'>): FormAttempt {
  return { kind: 'form', token: random(), ...about }
}

/** What a way to a provider begins with: values nobody can guess, each for one use (RFC 9700 section 2.1.1, OpenID Connect Core section 3.1.2.1). */
export function newProviderAttempt(about: Omit<ProviderAttempt, 'kind' | 'state' | 'nonce' | 'verifier'>): ProviderAttempt {
  return { kind: 'provider', state: random(), nonce: random(), verifier: random(), ...about }
}

/** The cookie that carries it. */
export async function attemptCookie(attempt: AnyAttempt, env: Env, now: Date): Promise<string> {
  const until = now.getTime() + LIFETIME_SECONDS * 1000
  return loginCookie(await seal(JSON.stringify({ attempt, until }), SEAL, env), LIFETIME_SECONDS)
}

/** The form that a browser was shown, if it posts that one's token. */
export async function readForm(headers: Headers, token: string, { env, now }: { env: Env; now: Date }): Promise<FormAttempt | undefined> {
  const attempt = await read(headers, env, now)
  return attempt?.kind === 'form' && equalConstantTime(attempt.token, token) ? attempt : undefined
}

/** The way to a provider that a browser began, if it comes back with that one's state. */
export async function readProviderAttempt(headers: Headers, state: string, { env, now }: { env: Env; now: Date }): Promise<ProviderAttempt | undefined> {
  const attempt = await read(headers, env, now)
  return attempt?.kind === 'provider' && equalConstantTime(attempt.state, state) ? attempt : undefined
}

/** The S256 challenge of a verifier (RFC 7636 section 4.2). */
export async function challengeOf(verifier: string): Promise<string> {
  return encodeBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))))
}

async function read(headers: Headers, env: Env, now: Date): Promise<AnyAttempt | undefined> {
  const cookie = readCookie(headers, LOGIN)
  const text = cookie === undefined ? undefined : await unseal(cookie, SEAL, env)
  if (text === undefined) return undefined
  // Another version of this Worker may have sealed it.
  const { data } = Sealed.safeParse(JSON.parse(text))
  return data && data.until > now.getTime() ? data.attempt : undefined
}

function random(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(32)))
}

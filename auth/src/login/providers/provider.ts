import { ServiceError } from '@dot-do/worker-utils'
import type { ProvedIdentity } from '../../sessions/opening.ts'
import type { ProviderAttempt } from '../attempt.ts'

/** Who can say who somebody is, apart from a one-time code. */
export interface Provider {
  /** As identities, sessions and `?provider=` name it. */
  name: string
  /** As its button names it. */
  label: string
  /** Where the browser is sent. */
  begin(attempt: ProviderAttempt, hints: Hints): Promise<string>
  /** Who somebody proved to be, from the address that the provider sent the browser back to; its `state` has been compared. */
  finish(attempt: ProviderAttempt, answer: URL): Promise<ProvedIdentity>
}

/** What a provider may be told to save somebody typing. */
export interface Hints {
  /** The address somebody gave. */
  loginHint?: string | undefined
}

/** How long a provider may take to answer, in milliseconds. */
export const PROVIDER_TIMEOUT_MS = 10_000

/** The one address that providers send people back to. */
export function redirectUri(platformUrl: string): string {
  return `${platformUrl}/auth/callback`
}

/** The provider says that somebody is not to be signed in: they declined, or are not known there. */
export class Declined extends Error {
  /** The code of RFC 6749 section 4.1.2.1, `access_denied`. */
  readonly code: string

  constructor(code: string) {
    super('The provider declined')
    this.code = /^[a-z_]{1,64}$/.test(code) ? code : 'unknown'
  }
}

/** For an answer that does not hold. What was wrong with it is logged, not told: it would help whoever forged it. */
export function unproved(reason: string): ServiceError {
  return new ServiceError('UNAUTHENTICATED', 'The provider’s answer does not hold; sign in again', { cause: reason })
}

/** What may be logged of a failure: what sort it is of. Providers' own words hold codes, and what comes along with an error holds tokens. */
export function sortOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return typeof thrown
  const { name, code, status, error } = thrown as Error & Record<'code' | 'status' | 'error', unknown> // whatever of them it has
  return [name, code, status, error].filter((part) => typeof part === 'number' || (typeof part === 'string' && /^[\w.-]{1,64}$/.test(part))).join(' ')
}

import type { Principal } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import { AccessTokenVerifier, hasTokenForm, refusedCredential, type TokenVerification } from './access-token.ts'

/** How auth is asked, in the course of one request. */
export interface Asking {
  ask(): Promise<TokenVerification>
  /** Keeps a question alive that nobody waits for. */
  waitUntil?: ((promise: Promise<unknown>) => void) | undefined
  /** How old what auth said may be; five seconds unless told. */
  maxAgeMs?: number | undefined
}

/** What auth said is used for so long while it answers: a revoked token is refused everywhere within this time. */
const TTL_MS = 5_000

/** From this age on auth is asked again, behind whatever is being answered. */
const REFRESH_MS = 3_000

/** While auth does not answer, what it said last is used for so long. */
const OUTAGE_MS = 60_000

/** Not asked more often than this for a key that nobody knows, or after it did not answer. */
const PAUSE_MS = 1_000

/** How long auth may take to answer. */
const TIMEOUT_MS = 2_000

/**
 * Checks access tokens within one isolate, and asks auth what that takes: once every few seconds, never for a single token. Requests do not wait for each other's
 * questions, since a Worker may not; so at most those that come before the first answer each ask.
 */
export class TokenCheck {
  readonly #verifier = new AccessTokenVerifier()
  /** From before the question, or a revocation that overtakes the answer would be missed for longer. */
  #askedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #failedAt: number | undefined

  /** Whose a token is, if that is known without waiting for anything. Throws if it is known not to hold. */
  recall(token: string, asking: Asking): Principal | undefined {
    const now = Date.now()
    const age = this.#ageAt(now)
    if (age >= (asking.maxAgeMs ?? TTL_MS)) return undefined
    if (age >= REFRESH_MS && now - this.#triedAt >= PAUSE_MS) {
      const question = this.#askOrKeep(asking).catch(() => undefined)
      asking.waitUntil?.(question)
    }
    return this.#verifier.recall(token)
  }

  /** Whose a token is. UNAUTHENTICATED if it does not hold, UNAVAILABLE if that cannot be found out. */
  async principalOf(token: string, asking: Asking): Promise<Principal> {
    if (!hasTokenForm(token)) throw refusedCredential('This is not an access token of this platform')
    if (this.#ageAt(Date.now()) >= (asking.maxAgeMs ?? TTL_MS)) await this.#askOrKeep(asking)
    const known = this.#verifier.recall(token) ?? (await this.#verifier.verify(token))
    if (known) return known
    // Perhaps the key is newer than what auth said.
    if (Date.now() - this.#triedAt >= PAUSE_MS) await this.#askOrKeep(asking)
    const found = await this.#verifier.verify(token)
    if (!found) throw refusedCredential('This access token was signed with a key that is not known')
    return found
  }

  async #askOrKeep({ ask }: Asking): Promise<void> {
    const askedAt = Date.now()
    const isKnown = this.#ageAt(askedAt) < OUTAGE_MS
    if (isKnown && this.#failedAt !== undefined && askedAt - this.#failedAt < PAUSE_MS) return
    this.#triedAt = askedAt
    try {
      this.#take(await withinTime(ask()), askedAt)
    } catch (cause) {
      this.#failedAt = Date.now()
      if (!isKnown) throw new ServiceError('UNAVAILABLE', 'Access tokens cannot be checked at the moment', { cause })
    }
  }

  /** How old what is known is. Where the clock jumped back nobody knows: it is too old. */
  #ageAt(now: number): number {
    return now < this.#askedAt ? Number.POSITIVE_INFINITY : now - this.#askedAt
  }

  #take(verification: TokenVerification, askedAt: number): void {
    if (askedAt < this.#askedAt && Date.now() >= this.#askedAt) return // a newer answer was faster
    this.#verifier.update(verification)
    this.#askedAt = askedAt
    this.#failedAt = undefined
  }
}

async function withinTime<Value>(promise: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`No answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

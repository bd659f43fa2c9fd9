import type { Principal } from '@dot-do/worker-types'
import { BoundedCache, parseApiKey } from '@dot-do/worker-utils'
import { refusedCredential } from './access-token.ts'

/** What auth says of an API key. */
export interface KeyVerdict {
  principal?: Principal | undefined
  reason?: string | undefined
  /** Whether the verdict holds for the address only that the key was sent from. */
  addressBound?: boolean | undefined
}

/** How auth is asked for a key, in the course of one request. */
export interface AskingForKey {
  /** Where the key was sent from; empty where nobody says. */
  address: string
  /** The sort of key this deployment takes. */
  mode: string | undefined
  ask(): Promise<KeyVerdict>
  /** How old a verdict may be; five seconds unless told. */
  maxAgeMs?: number | undefined
}

/** A revoked key is refused everywhere within this time. */
const TTL_MS = 5_000

/** Checks API keys within one isolate: each is asked for once in five seconds. Only verdicts of keys in force are kept; they stay in memory, by the key itself. */
export class KeyCheck {
  readonly #inForce = new BoundedCache<string, { principal: Principal; askedAt: number }>({ maxEntries: 10_000, ttlMs: TTL_MS })

  /** Whose a key is, if that is known without waiting for anything. */
  recall(key: string, { address, maxAgeMs = TTL_MS }: Pick<AskingForKey, 'address' | 'maxAgeMs'>): Principal | undefined {
    const known = this.#inForce.get(key) ?? this.#inForce.get(`${key} ${address}`)
    const now = Date.now()
    return known && known.askedAt <= now && now < known.askedAt + maxAgeMs ? known.principal : undefined
  }

  /** Whose a key is. UNAUTHENTICATED, with the reason, if nobody's; a malformed one is refused without asking auth. */
  async principalOf(key: string, { address, mode, ask }: AskingForKey): Promise<Principal> {
    const own = parseApiKey(key)?.mode
    if (!own || own !== mode) throw refused(own ? 'wrong_mode' : 'malformed')
    // The five seconds count from before the question, or a revocation that overtakes the answer would live longer.
    const askedAt = Date.now()
    const { principal, reason, addressBound } = await ask()
    if (!principal) throw refused(reason ?? 'unknown')
    this.#inForce.set(addressBound ? `${key} ${address}` : key, { principal, askedAt })
    return principal
  }
}

const REASONS: Record<string, string> = {
  malformed: 'This is not an API key: its form or checksum is wrong',
  unknown: 'This API key is not known',
  revoked: 'This API key was revoked',
  expired: 'This API key has expired',
  wrong_mode: 'This API key belongs to another sort of deployment (live or test)',
  address_refused: 'This API key may not be used from here',
}

function refused(reason: string): Error {
  return refusedCredential(REASONS[reason] ?? 'This credential is not valid')
}

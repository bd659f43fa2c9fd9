import type { ApiKey } from '@dot-do/worker-contracts/auth'
import { hmacSha256Base64url } from '@dot-do/worker-utils'
import type * as z from 'zod'
import type { keys } from './tables.ts'

/** A row of the table of keys. */
export type KeyRow = typeof keys.$inferSelect

const DAY_MS = 86_400_000

/** The form a key is looked up by; with the pepper unknown it tells nothing of the key. */
export function hashKey(key: string, pepper: string): Promise<string> {
  return hmacSha256Base64url(pepper, key)
}

/** A key as it is shown: everything but its hash. */
export function shown({ hash: _hash, replaces: _replaces, ...row }: KeyRow): z.input<typeof ApiKey> {
  return {
    ...row,
    createdAt: iso(row.createdAt),
    expiresAt: isoOrNull(row.expiresAt),
    lastUsedAt: isoOrNull(row.lastUsedAt),
    revokedAt: isoOrNull(row.revokedAt),
  }
}

/** Why a key is not in force at a moment; undefined if it is. */
export function whyEnded({ revokedAt, expiresAt }: Pick<KeyRow, 'revokedAt' | 'expiresAt'>, now: Date): 'revoked' | 'expired' | undefined {
  if (revokedAt !== null) return 'revoked'
  return expiresAt !== null && new Date(expiresAt) <= now ? 'expired' : undefined
}

/** When a key made now ends; null: never. */
export function expiryAfter(days: number | undefined, now: Date): string | null {
  return days === undefined ? null : new Date(now.getTime() + days * DAY_MS).toISOString()
}

/** When the successor of a key ends: it lives as long as the key was made to live. */
export function renewedExpiry({ createdAt, expiresAt }: Pick<KeyRow, 'createdAt' | 'expiresAt'>, now: Date): string | null {
  if (expiresAt === null) return null
  return new Date(now.getTime() + new Date(expiresAt).getTime() - new Date(createdAt).getTime()).toISOString()
}

/** When a rotated key ends: after the grace period, or when it would have anyway. */
export function graceExpiry({ expiresAt }: Pick<KeyRow, 'expiresAt'>, graceSeconds: number, now: Date): string {
  const grace = now.getTime() + graceSeconds * 1000
  return new Date(expiresAt === null ? grace : Math.min(grace, new Date(expiresAt).getTime())).toISOString()
}

function isoOrNull(time: string | null): string | null {
  return time === null ? null : iso(time)
}

/** PostgreSQL's text of a time in the wire's form. */
export function iso(time: string): string {
  return new Date(time).toISOString()
}

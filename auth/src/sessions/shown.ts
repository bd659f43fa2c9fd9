import type { Session, User } from '@dot-do/worker-contracts/identity'
import type * as z from 'zod'
import { iso } from '../api-keys.ts'
import type { sessions, users } from '../tables.ts'

export type SessionRow = typeof sessions.$inferSelect
export type UserRow = typeof users.$inferSelect

/** A session as it is shown to whoever asks by the session `asking`. */
export function shownSession({ userId, organisationId, ...row }: SessionRow, asking: string | undefined): z.input<typeof Session> {
  return {
    ...row,
    user: userId,
    organisation: organisationId,
    createdAt: iso(row.createdAt),
    lastUsedAt: iso(row.lastUsedAt),
    expiresAt: iso(row.expiresAt),
    revokedAt: row.revokedAt === null ? null : iso(row.revokedAt),
    current: row.id === asking,
  }
}

/** A user as it is shown. */
export function shownUser(row: UserRow): z.input<typeof User> {
  const { createdAt, lastSignInAt, disabledAt } = row
  return {
    ...row,
    createdAt: iso(createdAt),
    lastSignInAt: lastSignInAt === null ? null : iso(lastSignInAt),
    disabledAt: disabledAt === null ? null : iso(disabledAt),
  }
}

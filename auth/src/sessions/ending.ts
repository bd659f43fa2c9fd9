import { database, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { and, eq, isNull } from 'drizzle-orm'
import type { Env } from '../env.ts'
import { sessions } from '../tables.ts'

/** Whose sessions: a user's, those by which a user acts as a member of one organisation, or everybody's in it. Organisations by id. */
export type WhoseSessions = { user: string; organisation?: string | undefined } | { user?: undefined; organisation: string }

/** The statements that end sessions: none of them can be refreshed. Access tokens that are out stay good unless `refuseTokens` is told, too. */
export function endSessionsOf({ user, organisation }: WhoseSessions, call: Call<Env>, at: Date): Buildable[] {
  const whose = and(
    user === undefined ? undefined : eq(sessions.userId, user),
    organisation === undefined ? undefined : eq(sessions.organisationId, organisation),
    isNull(sessions.revokedAt),
  )
  return [database(call).update(sessions).set({ revokedAt: at.toISOString() }).where(whose)]
}

/** The statement that ends one session. */
export function endSession(id: string, call: Call<Env>, at: Date): Buildable {
  return database(call)
    .update(sessions)
    .set({ revokedAt: at.toISOString() })
    .where(and(eq(sessions.id, id), isNull(sessions.revokedAt)))
}

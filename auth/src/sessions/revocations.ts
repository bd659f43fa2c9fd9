import { database, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { gt } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import type { Env } from '../env.ts'
import { refusedTokens } from '../tables.ts'

/** No access token lives longer than this, so no refusal needs to. */
const LONGEST_TOKEN_MS = 3_600_000

/** A refusal is told a little longer than the longest token lives, for clocks that differ. */
const MARGIN_MS = 60_000

const REMEMBER = 'on conflict (subject) do update set before = greatest(refused_tokens.before, excluded.before)'

/** The statement by which access tokens of a session, user or trust that were issued until now are refused; it belongs into the batch of whatever took rights away. */
export function refuseTokens(subject: string, at: Date): Buildable {
  return { sql: `insert into auth.refused_tokens (subject, before) values ($1, $2::timestamptz) ${REMEMBER}`, params: [subject, at.toISOString()] }
}

/** The same for each session of a user in an organisation: the user's tokens for other organisations stay good. */
export function refuseTokensOfSessions({ user, organisation }: { user: string; organisation: string }, at: Date): Buildable {
  const recent = `(revoked_at is null or revoked_at > $3::timestamptz - interval '1 hour')`
  return {
    sql: `insert into auth.refused_tokens (subject, before)
      select id, $3::timestamptz from auth.sessions where user_id = $1 and organisation_id = $2 and ${recent} ${REMEMBER}`,
    params: [user, organisation, at.toISOString()],
  }
}

/** Whose tokens are refused before they expire, for whoever verifies them. */
export async function refusals(call: Call<Env>, now: Date): Promise<{ subject: string; before: string }[]> {
  const found = await database(call)
    .select()
    .from(refusedTokens)
    .where(gt(refusedTokens.before, stillOut(now)))
  return found.map(({ subject, before }) => ({ subject, before: iso(before) }))
}

/** The statement that forgets refusals of tokens which have expired. */
export function forgetRefusals(now: Date): Buildable {
  return { sql: 'delete from auth.refused_tokens where before <= $1::timestamptz', params: [stillOut(now)] }
}

function stillOut(now: Date): string {
  return new Date(now.getTime() - LONGEST_TOKEN_MS - MARGIN_MS).toISOString()
}

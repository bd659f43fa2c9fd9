import { batch, database, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { generateId, ServiceError } from '@dot-do/worker-utils'
import { and, eq, isNotNull, or, sql } from 'drizzle-orm'
import type { Env } from './env.ts'
import type { ProvedIdentity } from './sessions/opening.ts'
import type { UserRow } from './sessions/shown.ts'
import { identities, users } from './tables.ts'

/** A user who is about to sign in. */
export interface Person {
  user: UserRow
  /** The organisation of the last session; absent for whoever never had one. */
  lastOrganisation?: string | undefined
  /** What makes the user, or notes the sign-in. */
  statements: Buildable[]
}

/** Finds the user that somebody proved to be, or makes one. FORBIDDEN for a disabled user, an address nobody verified, and an uninvited stranger. */
export async function personFor(proved: ProvedIdentity, call: Call<Env>, at: Date): Promise<Person> {
  const email = proved.email.toLowerCase()
  const { found, isLinked, lastOrganisation } = await find(proved, email, call)
  if (!isLinked && !proved.emailVerified) throw unverified(proved.provider)
  if (found?.disabledAt) throw new ServiceError('FORBIDDEN', 'This user was disabled')
  if (!found?.lastSignInAt && !(await maySignUp(proved, { email, call, at }))) throw uninvited()
  const now = at.toISOString()
  const user = found ? { ...found, lastSignInAt: now } : newUser(email, proved.name, now)
  const identity = { provider: proved.provider, subject: proved.subject, userId: user.id, createdAt: now }
  return {
    user,
    lastOrganisation,
    statements: [
      found ? signInNoted(user, call) : database(call).insert(users).values(user),
      ...(isLinked ? [] : [database(call).insert(identities).values(identity)]),
    ],
  }
}

/** Whom the provider's subject is linked to, or else who is known by the address. */
async function find({ provider, subject }: ProvedIdentity, email: string, call: Call<Env>) {
  const last = sql<string | null>`(select s.organisation_id from auth.sessions s where s.user_id = ${users.id} order by s.created_at desc, s.id desc limit 1)`
  const isSubjects = and(eq(identities.userId, users.id), eq(identities.provider, provider), eq(identities.subject, subject))
  const rows = await database(call)
    .select({ user: users, linked: identities.userId, last })
    .from(users)
    .leftJoin(identities, isSubjects)
    .where(or(eq(users.email, email), isNotNull(identities.userId)))
  const row = rows.find(({ linked }) => linked !== null) ?? rows[0]
  return { found: row?.user, isLinked: row !== undefined && row.linked !== null, lastOrganisation: row?.last ?? undefined }
}

const EXPECTED = `select exists (select from auth.invites where email = $1 and accepted_at is null and revoked_at is null and expires_at > $2::timestamptz)
  or exists (select from auth.members m join auth.users u on u.id = m.user_id where u.email = $1)`

/** Whether somebody may sign in for the first time: anybody, or only those who are expected somewhere, by an invite, a directory or their provider. */
async function maySignUp({ providerOrganisation }: ProvedIdentity, { email, call, at }: { email: string; call: Call<Env>; at: Date }): Promise<boolean> {
  if (call.env.SIGN_UP !== 'invited' || providerOrganisation !== undefined) return true
  const [answer] = await batch(call, [{ sql: EXPECTED, params: [email, at.toISOString()] }])
  return answer?.rows[0]?.[0] === true
}

function newUser(email: string, name: string, now: string): UserRow {
  return { id: generateId('user'), email, name: name.slice(0, 100) || (email.split('@')[0] ?? email), createdAt: now, lastSignInAt: now, disabledAt: null }
}

/** Only while the user may still sign in: one who was disabled a moment ago is noted no more, and their new session does not refresh. */
function signInNoted({ id, lastSignInAt }: UserRow, call: Call<Env>): Buildable {
  return database(call).update(users).set({ lastSignInAt }).where(eq(users.id, id))
}

function unverified(provider: string): ServiceError {
  return new ServiceError('FORBIDDEN', `${provider} does not say that this address is yours: verify it there, or sign in with a code`)
}

function uninvited(): ServiceError {
  return new ServiceError('FORBIDDEN', 'Only who was invited can sign up here; leave your address on the waitlist')
}

import type { Tokens } from '@dot-do/worker-contracts/identity'
import { batch, database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { and, eq, gt, isNull } from 'drizzle-orm'
import type * as z from 'zod'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import { membershipsOf, type Membership } from '../organisations/membership.ts'
import { sessions, users } from '../tables.ts'
import { signerOf } from './access-tokens.ts'
import { endSession } from './ending.ts'
import { hashRefreshToken, makeRefreshToken, readRefreshToken, type RefreshToken } from './refresh-token.ts'
import { refuseTokens } from './revocations.ts'
import { seal, unseal } from './sealing.ts'
import { membershipIn, tokensFor, type SignedIn } from './tokens.ts'

type Answer = z.input<typeof Tokens>

const PURPOSE = 'auth/refreshes'

/**
 * Spends a refresh token. UNAUTHENTICATED for one that was never issued, of a session that has ended, of a user who was disabled or of a membership that is no
 * more; and for one that was spent before, which ends the session.
 *
 * The new tokens are made first and the session's family decides last, in one step: of those who race, one answer wins, and all get it.
 */
export async function refresh({ refreshToken, organisation }: { refreshToken: string; organisation?: string | undefined }, call: Call<Env>): Promise<Answer> {
  const presented = await readRefreshToken(refreshToken, call.env)
  if (!presented) throw new ServiceError('UNAUTHENTICATED', 'This is not a refresh token: its form or checksum is wrong')
  const [signedIn, signer] = await Promise.all([useSession(presented.session, organisation, call), signerOf(call)])
  const next = await makeRefreshToken(presented.session, call.env)
  const answer = await tokensFor(signedIn, next, signer)
  const [presentedHash, nextHash, sealed] = await Promise.all([
    hashRefreshToken(presented),
    hashRefreshToken(next),
    seal(JSON.stringify(answer), { purpose: PURPOSE, context: presented.text }, call.env),
  ])
  const wish = { presented: presentedHash, next: nextHash, answer: sealed, atMs: signedIn.at.getTime() }
  const turn = await call.env.RefreshFamilies.getByName(presented.session).rotate(wish)
  if (turn.outcome === 'rotated') return answer
  if (turn.outcome === 'repeated') return reopen(turn.answer, presented, call.env)
  if (turn.outcome === 'reused') await endStolen(signedIn, call)
  throw ended()
}

/** Notes that a session is used, and finds who uses it, and as a member of what. */
async function useSession(id: string, asked: string | undefined, call: Call<Env>): Promise<SignedIn> {
  const at = new Date()
  const now = at.toISOString()
  const isInForce = and(eq(sessions.id, id), isNull(sessions.revokedAt), gt(sessions.expiresAt, now), isNull(users.disabledAt))
  const [used] = await database(call)
    .update(sessions)
    .set({ lastUsedAt: now, ...(call.address && { address: call.address }) })
    .from(users)
    .where(and(isInForce, eq(users.id, sessions.userId)))
    .returning()
  if (!used) throw ended()
  const { users: user, ...session } = used
  const membership = membershipFor(await membershipsOf(user.id, call), asked, session.organisationId)
  const organisationId = membership.organisation.id
  if (organisationId !== session.organisationId) await database(call).update(sessions).set({ organisationId }).where(eq(sessions.id, id))
  return { session: { ...session, organisationId }, user, membership, at }
}

function membershipFor(memberships: Membership[], asked: string | undefined, organisationId: string): Membership {
  if (asked !== undefined) return membershipIn(memberships, asked)
  const kept = memberships.find(({ organisation }) => organisation.id === organisationId)
  if (!kept) throw ended()
  return kept
}

async function reopen(sealed: string, { text }: RefreshToken, env: Env): Promise<Answer> {
  const answer = await unseal(sealed, { purpose: PURPOSE, context: text }, env)
  if (answer === undefined) throw ended()
  return JSON.parse(answer) as Answer // sealed above, by whoever won
}

/** Somebody has a copy of a token, and nobody can tell who of the two is the thief: neither goes on. */
async function endStolen({ session, user, membership, at }: SignedIn, call: Call<Env>): Promise<void> {
  const now = new Date()
  const record = {
    action: 'auth.refuseReusedToken',
    subject: session.id,
    tenant: membership.organisation.slug,
    detail: { user: user.id, usedAt: at.toISOString() },
  }
  await batch(call, [endSession(session.id, call, now), refuseTokens(session.id, now), appendAudit(call, record, now.toISOString())])
}

function ended(): ServiceError {
  return new ServiceError('UNAUTHENTICATED', 'This session has ended: sign in again')
}

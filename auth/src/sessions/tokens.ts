import type { Tokens } from '@dot-do/worker-contracts/identity'
import { ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import type { Membership } from '../organisations/membership.ts'
import { signWith, USER_TOKEN_SECONDS, type Signer } from './access-tokens.ts'
import type { RefreshToken } from './refresh-token.ts'
import { shownSession, shownUser, type SessionRow, type UserRow } from './shown.ts'

/** A session is over after this time, however often it is refreshed. */
export const SESSION_MS = 30 * 86_400_000

/** Who is signed in, as a member of what, and since when it is known what they may do. */
export interface SignedIn {
  session: SessionRow
  user: UserRow
  membership: Membership
  at: Date
}

/** What a sign-in or a refresh is answered. */
export async function tokensFor({ session, user, membership, at }: SignedIn, refresh: RefreshToken, signer: Signer): Promise<z.input<typeof Tokens>> {
  const { organisation, permissions } = membership
  const claims = { sub: user.id, kind: 'user' as const, tenant: organisation.slug, permissions, sid: session.id, issuedAt: at }
  return {
    accessToken: await signWith(signer, claims, USER_TOKEN_SECONDS),
    tokenType: 'Bearer',
    expiresIn: USER_TOKEN_SECONDS,
    refreshToken: refresh.text,
    session: shownSession(session, session.id),
    user: shownUser(user),
    organisation,
  }
}

/** The membership that somebody asks to act by, named by the organisation's id or slug. NOT_FOUND where they are no member. */
export function membershipIn(memberships: readonly Membership[], asked: string): Membership {
  const found = memberships.find(({ organisation }) => organisation.id === asked || organisation.slug === asked)
  if (!found)
    throw new ServiceError('NOT_FOUND', `You are no member of an organisation ${asked}`, { details: [{ path: 'organisation', message: 'is not there' }] })
  return found
}

import type { Invite } from '@dot-do/worker-contracts/identity'
import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { encodeBase64url, hmacSha256Base64url, log, ServiceError } from '@dot-do/worker-utils'
import { and, eq, gt, isNull } from 'drizzle-orm'
import type * as z from 'zod'
import { iso } from '../api-keys.ts'
import type { Env } from '../env.ts'
import { sendMail } from '../mail.ts'
import { platformUrl } from '../sessions/access-tokens.ts'
import { invites, organisations } from '../tables.ts'
import { PLACE, shownPlace, type Place } from './place.ts'

/** A row of the table of invites. */
export type InviteRow = typeof invites.$inferSelect

/** An invite as it is shown. */
export type ShownInvite = z.input<typeof Invite>

/** What a link proves: 32 random bytes. */
export function inviteToken(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(32)))
}

/** The form an invite is looked up by. The same pepper as for keys, and a word before the token, so that neither is ever the other. */
export function hashInvite(token: string, { KEY_PEPPER }: Pick<Env, 'KEY_PEPPER'>): Promise<string> {
  return hmacSha256Base64url(KEY_PEPPER, `invite ${token}`)
}

/** An invite as it is shown: without its hash. */
export function shownInvite({ id, organisationId, email, role, createdAt, createdBy, expiresAt, acceptedAt }: InviteRow): ShownInvite {
  const accepted = acceptedAt === null ? null : iso(acceptedAt)
  return { id, organisation: organisationId, email, role, createdAt: iso(createdAt), createdBy, expiresAt: iso(expiresAt), acceptedAt: accepted }
}

/** What makes an invite wait: neither accepted nor revoked, and not expired. */
export function waits(now: Date) {
  return and(isNull(invites.acceptedAt), isNull(invites.revokedAt), gt(invites.expiresAt, now.toISOString()))
}

/** The invite of a token, with the organisation it leads into. NOT_FOUND for a token that belongs to none. */
export async function inviteOf(token: string, call: Call<Env>): Promise<{ invite: InviteRow; place: Place }> {
  const [row] = await database(call)
    .select({ invite: invites, place: PLACE })
    .from(invites)
    .innerJoin(organisations, eq(organisations.id, invites.organisationId))
    .where(and(eq(invites.tokenHash, await hashInvite(token, call.env)), isNull(organisations.deletedAt)))
  if (row) return { invite: row.invite, place: shownPlace(row.place) }
  throw new ServiceError('NOT_FOUND', 'This invite is not known', { details: [{ path: 'token', message: 'is not known' }] })
}

/** Why an invite cannot be accepted any more; undefined while it waits. */
export function whyOver({ acceptedAt, revokedAt, expiresAt }: InviteRow, now: Date): string | undefined {
  if (acceptedAt !== null) return 'This invite was accepted already'
  if (revokedAt !== null) return 'This invite was taken back'
  return new Date(expiresAt) <= now ? 'This invite has expired: ask for another' : undefined
}

/** Sends the link. It says false where no mail can be sent: then whoever invited hands the link over. */
export async function sendInvite(
  { token, place, email, days }: { token: string; place: Place; email: string; days: number },
  call: Call<Env>,
): Promise<boolean> {
  try {
    const link = `${platformUrl(call.env)}/auth/invites/accept?token=${token}`
    const text = [
      `You are invited to ${place.name}.`,
      `Open this link and sign in with this address, ${email}:`,
      link,
      `It holds for ${days === 1 ? 'a day' : `${days} days`} and for this address only. If you do not know what this is about, do nothing.`,
    ]
    await sendMail({ to: email, subject: `Invitation to ${oneLine(place.name)}`, text: text.join('\n\n') }, call)
    return true
  } catch (cause) {
    log('warn', 'invite_not_sent', { organisation: place.id, requestId: call.requestId, cause })
    return false
  }
}

function oneLine(name: string): string {
  return name.replaceAll(/\p{Cc}+/gu, ' ')
}

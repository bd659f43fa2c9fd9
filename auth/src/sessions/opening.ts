import type { Tokens } from '@dot-do/worker-contracts/identity'
import { batch, database, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { generateId, toServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import { founding, joining, membershipsOf, type Joined } from '../organisations/membership.ts'
import { sessions } from '../tables.ts'
import { personFor, type Person } from '../users.ts'
import { signerOf } from './access-tokens.ts'
import { hashRefreshToken, makeRefreshToken } from './refresh-token.ts'
import type { SessionRow } from './shown.ts'
import { membershipIn, SESSION_MS, tokensFor, type SignedIn } from './tokens.ts'

/** What a provider, or a one-time code, has proved of somebody. */
export interface ProvedIdentity {
  /** `code`, `workos`, or the name of an OIDC provider. */
  provider: string
  /** Who it is at the provider; never changes. */
  subject: string
  email: string
  /** Whether the provider knows the address to be theirs. */
  emailVerified: boolean
  name: string
  /** Id or slug of the organisation asked for. */
  organisation?: string | undefined
  /** The provider's id of the organisation that somebody signed in under. */
  providerOrganisation?: string | undefined
  /** What the provider calls it, for the day it is founded here. */
  providerOrganisationName?: string | undefined
}

/** What signs in. */
export interface Device {
  name: string
  /** Where it is; empty where nobody says. */
  address: string
}

/** Two first sign-ins at the same moment make one user: the second finds what the first made. */
const ATTEMPTS = 3

/**
 * Signs somebody in: finds or makes the user and a membership, and opens a session of a new id, in one transaction. FORBIDDEN for a disabled user, for an
 * address that nobody verified, and for strangers where only invited people may sign up.
 */
export async function openSession(proved: ProvedIdentity, device: Device, call: Call<Env>): Promise<z.input<typeof Tokens>> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(proved, device, call)
    } catch (thrown) {
      if (attempt === ATTEMPTS || toServiceError(thrown).code !== 'CONFLICT') throw thrown
    }
  }
}

async function open(proved: ProvedIdentity, device: Device, call: Call<Env>): Promise<z.input<typeof Tokens>> {
  const at = new Date()
  const person = await personFor(proved, call, at)
  const { membership, statements } = await placeOf(person, proved, { call, at })
  const session = newSession(person, proved.provider, { device, membership, at })
  const refresh = await makeRefreshToken(session.id, call.env)
  const answer = await tokensFor({ session, user: person.user, membership, at }, refresh, await signerOf(call))
  // Before the session is there: a family without a session is of no use to anybody, and goes by itself.
  await call.env.RefreshFamilies.getByName(session.id).begin(await hashRefreshToken(refresh), at.getTime() + SESSION_MS)
  await batch(call, [...person.statements, ...statements, ...opened(session, membership.organisation.slug, call)])
  return answer
}

/** As whose member somebody acts: as they ask, as their provider says, as the last time, or as the oldest membership has it. A first sign-in founds an organisation. */
async function placeOf({ user, lastOrganisation }: Person, proved: ProvedIdentity, { call, at }: { call: Call<Env>; at: Date }): Promise<Joined> {
  const { organisation: asked, providerOrganisation, providerOrganisationName } = proved
  const name = user.name
  const founded = { userId: user.id, name: providerOrganisationName ?? name }
  const joined = providerOrganisation === undefined ? undefined : await joining({ providerOrganisation, ...founded }, call, at)
  const memberships = [...(joined ? [joined.membership] : []), ...(await membershipsOf(user.id, call))]
  if (asked !== undefined) return { membership: membershipIn(memberships, asked), statements: joined?.statements ?? [] }
  if (joined) return joined
  const membership = memberships.find(({ organisation }) => organisation.id === lastOrganisation) ?? memberships[0]
  return membership ? { membership, statements: [] } : founding({ userId: user.id, name }, at)
}

function newSession({ user }: Person, provider: string, { device, membership, at }: { device: Device } & Pick<SignedIn, 'membership' | 'at'>): SessionRow {
  const now = at.toISOString()
  return {
    id: generateId('sess'),
    userId: user.id,
    organisationId: membership.organisation.id,
    device: device.name,
    address: device.address,
    provider,
    createdAt: now,
    lastUsedAt: now,
    expiresAt: new Date(at.getTime() + SESSION_MS).toISOString(),
    revokedAt: null,
  }
}

function opened(session: SessionRow, tenant: string, call: Call<Env>): Buildable[] {
  const { id, userId, provider, device, address, createdAt } = session
  const detail = { user: userId, provider, device, address }
  return [database(call).insert(sessions).values(session), appendAudit(call, { actor: userId, action: 'auth.signIn', subject: id, tenant, detail }, createdAt)]
}

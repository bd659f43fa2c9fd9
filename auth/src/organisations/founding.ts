import type { Buildable } from '@dot-do/worker-data/database'
import { generateId } from '@dot-do/worker-utils'
import { effectivePermissions } from './effective.ts'
import type { Joined, Membership } from './membership.ts'

/** An organisation that is about to be, and whose it is. */
export interface Founded {
  organisation: Membership['organisation']
  /** Its first admin. */
  userId: string
  source: 'founder' | 'provider'
  providerOrganisation?: string | undefined
}

/** How many organisations one user may found. */
const MOST_FOUNDED = 20

/** An organisation with its first admin. */
export function founded({ organisation, userId, source, providerOrganisation }: Founded): Joined {
  const roles = ['admin']
  const since = organisation.createdAt
  const founder = source === 'founder' ? userId : null
  return {
    membership: { organisation, roles, permissions: effectivePermissions(organisation.slug, { roles, granted: [], own: [] }) },
    statements: [
      foundStatement(organisation, { founder, providerOrganisation: providerOrganisation ?? null, isLimited: false }),
      {
        sql: 'insert into auth.members (organisation_id, user_id, roles, source, since) values ($1, $2, array[$3], $4, $5::timestamptz)',
        params: [organisation.id, userId, ...roles, source, since],
      },
      audited({ organisation, userId, source, providerOrganisation }),
    ],
  }
}

/** The statement that makes an organisation's row: CONFLICT for a slug that was ever given, or has API keys, and past what one user may found. */
export function foundStatement(
  { id, slug, name, createdAt }: Membership['organisation'],
  { founder, providerOrganisation, isLimited }: { founder: string | null; providerOrganisation: string | null; isLimited: boolean },
): Buildable {
  return {
    sql: 'select auth.found_organisation($1, $2, $3, $4::timestamptz, $5, $6, $7::integer)',
    params: [id, slug, name, createdAt, founder, providerOrganisation, isLimited ? MOST_FOUNDED : null],
  }
}

/** Nobody called for it: it comes of a sign-in, and is the new user's own doing. */
function audited({ organisation: { id, slug, name, createdAt }, userId, source, providerOrganisation }: Founded): Buildable {
  const detail = JSON.stringify({ name, founder: userId, source, ...(providerOrganisation === undefined ? {} : { providerOrganisation }) })
  return {
    sql: `select auth.append_audit($1, $2::timestamptz, $3, 'auth.createOrganisation', $4, $5, $6::jsonb)`,
    params: [generateId('audit'), createdAt, userId, id, slug, detail],
  }
}

import * as z from 'zod'
import { idSchema, paginationSchema, permissionSchema, text, timestampSchema } from '@dot-do/worker-schemas'
import { namespace } from './thing.ts'

/** How lists of auth page. */
export const page = { limit: paginationSchema.shape.limit, cursor: paginationSchema.shape.cursor }

export const keyId = idSchema('key')
export const userId = idSchema('user')
export const sessionId = idSchema('sess')
export const organisationId = idSchema('org')
export const inviteId = idSchema('inv')
export const trustId = idSchema('trust')

/** An e-mail address as people give it; compared in lower case. */
export const email = z.email().max(254)

/** An organisation as paths name it: by its id, or by its slug, which is the namespace of its things. */
export const organisation = z.union([organisationId, namespace]).describe("An organisation's id or slug")

/** A role as it is assigned: built in (`admin`, `user`, `viewer`), or an organisation's own. */
export const roleName = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'must begin with a letter, then lower-case letters, digits and hyphens, at most 63')

export const permissions = z.array(permissionSchema).max(100)

export const PrincipalShape = z
  .object({
    id: z.string(),
    kind: z.enum(['service', 'key', 'user', 'workload', 'anonymous']),
    tenant: z.string(),
    permissions: z.array(z.string()),
    limitPerMinute: z.int().optional(),
    session: z.string().optional(),
  })
  .meta({ id: 'Principal' })

/** A person, known by an e-mail address that was proved. */
export const User = z
  .object({
    id: userId,
    email: z.string(),
    name: z.string(),
    createdAt: timestampSchema,
    lastSignInAt: timestampSchema.nullable(),
    disabledAt: timestampSchema.nullable().describe('Since when nobody can sign in as this user'),
  })
  .meta({ id: 'User' })

/** Who work together, and whose things share a namespace. */
export const Organisation = z
  .object({
    id: organisationId,
    slug: z.string().describe('The namespace of its things'),
    name: z.string(),
    createdAt: timestampSchema,
  })
  .meta({ id: 'Organisation' })

/** A user's place in an organisation. */
export const Member = z
  .object({
    organisation: organisationId,
    user: User.pick({ id: true, email: true, name: true }),
    roles: z.array(z.string()),
    permissions: z.array(z.string()).describe('Granted to this member beyond the roles'),
    source: z.enum(['invite', 'directory', 'founder', 'provider']).describe('How the membership came about'),
    since: timestampSchema,
  })
  .meta({ id: 'Member' })

/** A membership that waits for someone to accept it. */
export const Invite = z
  .object({
    id: inviteId,
    organisation: organisationId,
    email: z.string(),
    role: z.string(),
    createdAt: timestampSchema,
    createdBy: z.string(),
    expiresAt: timestampSchema,
    acceptedAt: timestampSchema.nullable(),
  })
  .meta({ id: 'Invite' })

/** One signed-in device. */
export const Session = z
  .object({
    id: sessionId,
    user: userId,
    organisation: organisationId,
    device: z.string().describe('What the browser or program called itself'),
    address: z.string().describe('Where it was last used from; empty where nobody says'),
    provider: z.string().describe('How the user signed in: `code`, `workos`, or the name of an OIDC provider'),
    createdAt: timestampSchema,
    lastUsedAt: timestampSchema,
    expiresAt: timestampSchema,
    revokedAt: timestampSchema.nullable(),
    current: z.boolean().describe('Whether it is the one that asks'),
  })
  .meta({ id: 'Session' })

/** What a sign-in or a refresh gives. */
export const Tokens = z
  .object({
    accessToken: z.string().describe('A JWT for `Authorization: Bearer`, signed with EdDSA'),
    tokenType: z.literal('Bearer'),
    expiresIn: z.int().describe('Seconds'),
    refreshToken: z.string().describe('Good for one refresh'),
    session: Session,
    user: User,
    organisation: Organisation,
  })
  .meta({ id: 'Tokens' })

export const device = text(255).default('').describe('What this browser or program calls itself, for the list of sessions')

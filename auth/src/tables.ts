import { bigint, integer, jsonb, pgSchema, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'

/** The PostgreSQL schema that is auth's own; migrations/ makes what this describes. */
export const SCHEMA = 'auth'

const schema = pgSchema(SCHEMA)
const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' })

/** API keys by id; see migrations/0001_keys.sql for what each column means. */
export const keys = schema.table('keys', {
  id: text().primaryKey(),
  hash: text().notNull(),
  preview: text().notNull(),
  name: text().notNull(),
  tenant: text().notNull(),
  permissions: text().array().notNull(),
  limitPerMinute: integer('limit_per_minute'),
  allowedAddresses: text('allowed_addresses').array().notNull(),
  createdAt: time('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  expiresAt: time('expires_at'),
  lastUsedAt: time('last_used_at'),
  revokedAt: time('revoked_at'),
  replaces: text(),
  replacedBy: text('replaced_by'),
})

/** The audit log, appended to by the function `auth.append_audit` only. */
export const audit = schema.table('audit', {
  sequence: bigint({ mode: 'number' }).notNull(),
  id: text().notNull(),
  at: time('at').notNull(),
  actor: text().notNull(),
  action: text().notNull(),
  subject: text().notNull(),
  tenant: text().notNull(),
  detail: jsonb().$type<Record<string, unknown>>().notNull(),
  hash: text().notNull(),
})

/** People; see migrations/0002_identity.sql. */
export const users = schema.table('users', {
  id: text().primaryKey(),
  email: text().notNull(),
  name: text().notNull(),
  createdAt: time('created_at').notNull(),
  lastSignInAt: time('last_sign_in_at'),
  disabledAt: time('disabled_at'),
})

/** Who providers say somebody is. */
export const identities = schema.table(
  'identities',
  { provider: text().notNull(), subject: text().notNull(), userId: text('user_id').notNull(), createdAt: time('created_at').notNull() },
  (table) => [primaryKey({ columns: [table.provider, table.subject] })],
)

/** Organisations, those that have ended too. */
export const organisations = schema.table('organisations', {
  id: text().primaryKey(),
  slug: text().notNull(),
  name: text().notNull(),
  createdAt: time('created_at').notNull(),
  deletedAt: time('deleted_at'),
  providerOrganisation: text('provider_organisation'),
  foundedBy: text('founded_by'),
})

/** Organisations' own roles. */
export const roles = schema.table(
  'roles',
  {
    organisationId: text('organisation_id').notNull(),
    name: text().notNull(),
    permissions: text().array().notNull(),
    createdAt: time('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.name] })],
)

/** Who is a member of what. */
export const members = schema.table(
  'members',
  {
    organisationId: text('organisation_id').notNull(),
    userId: text('user_id').notNull(),
    roles: text().array().notNull(),
    permissions: text().array().notNull(),
    source: text().$type<'invite' | 'directory' | 'founder' | 'provider'>().notNull(),
    since: time('since').notNull(),
  },
  (table) => [primaryKey({ columns: [table.organisationId, table.userId] })],
)

/** Devices that are signed in, and were; see migrations/0003_sessions.sql. */
export const sessions = schema.table('sessions', {
  id: text().primaryKey(),
  userId: text('user_id').notNull(),
  organisationId: text('organisation_id').notNull(),
  device: text().notNull(),
  address: text().notNull(),
  provider: text().notNull(),
  createdAt: time('created_at').notNull(),
  lastUsedAt: time('last_used_at').notNull(),
  expiresAt: time('expires_at').notNull(),
  revokedAt: time('revoked_at'),
})

/** Whose access tokens are refused early. */
export const refusedTokens = schema.table('refused_tokens', { subject: text().primaryKey(), before: time('before').notNull() })

/** What access tokens are signed with. */
export const signingKeys = schema.table('signing_keys', {
  kid: text().primaryKey(),
  state: text().$type<'next' | 'current' | 'retired'>().notNull(),
  x: text().notNull(),
  sealed: text().notNull(),
  createdAt: time('created_at').notNull(),
  signsSince: time('signs_since'),
  retiredAt: time('retired_at'),
})

/** Memberships that wait for someone; see migrations/0004_organisations.sql. */
export const invites = schema.table('invites', {
  id: text().primaryKey(),
  organisationId: text('organisation_id').notNull(),
  email: text().notNull(),
  role: text().notNull(),
  tokenHash: text('token_hash').notNull(),
  createdAt: time('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  expiresAt: time('expires_at').notNull(),
  acceptedAt: time('accepted_at'),
  acceptedBy: text('accepted_by'),
  revokedAt: time('revoked_at'),
})

/** Which jobs elsewhere get a credential. */
export const trusts = schema.table('trusts', {
  id: text().primaryKey(),
  tenant: text().notNull(),
  repository: text().notNull(),
  branch: text(),
  environment: text(),
  permissions: text().array().notNull(),
  pinnedId: text('pinned_id'),
  createdAt: time('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  lastUsedAt: time('last_used_at'),
})

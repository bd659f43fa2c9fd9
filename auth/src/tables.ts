import { bigint, integer, jsonb, pgSchema, text, timestamp } from 'drizzle-orm/pg-core'

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

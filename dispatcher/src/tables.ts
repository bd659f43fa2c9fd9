import { pgSchema, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'
import type { Environment } from '@dot-do/worker-contracts/published'

/** The PostgreSQL schema that is the dispatcher's own; migrations/ makes what this describes. */
export const SCHEMA = 'dispatcher'

const schema = pgSchema(SCHEMA)
const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' })

/** Custom domains by host and claimant; see migrations/0001_domains.sql. */
export const domains = schema.table(
  'domains',
  {
    host: text().notNull(),
    tenant: text().notNull(),
    worker: text().notNull(),
    environment: text().$type<Environment>().notNull(),
    token: text().notNull(),
    createdAt: time('created_at').notNull(),
    verifiedAt: time('verified_at'),
  },
  ({ host, tenant }) => [primaryKey({ columns: [host, tenant] })],
)

/** What was set for a tenant; who is not here has the defaults. */
export const tenants = schema.table('tenants', {
  tenant: text().primaryKey(),
  plan: text().notNull(),
  outbound: text().array().notNull(),
  updatedAt: time('updated_at').notNull(),
})

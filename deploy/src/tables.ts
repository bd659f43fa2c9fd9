import type { deploymentMetadata } from '@dot-do/worker-contracts/published'
import { bigint, integer, jsonb, pgSchema, text, timestamp } from 'drizzle-orm/pg-core'
import type * as z from 'zod'
import type { StoredVersion } from './content.ts'

/** The PostgreSQL schema that is deploy's own; migrations/ makes what this describes. */
export const SCHEMA = 'deploy'

const schema = pgSchema(SCHEMA)
const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'string' })
const metadata = () => jsonb().$type<z.output<typeof deploymentMetadata>>().notNull()

/** Versions; see migrations/0001_deployments.sql for what each column means. */
export const versions = schema.table('versions', {
  tenant: text().notNull(),
  service: text().notNull(),
  version: integer().notNull(),
  sha256: text().notNull(),
  sizeBytes: integer('size_bytes').notNull(),
  mainModule: text('main_module'),
  modules: jsonb().$type<StoredVersion['modules']>().notNull(),
  assets: jsonb().$type<StoredVersion['assets']>().notNull(),
  bindings: jsonb().$type<StoredVersion['bindings']>().notNull(),
  vars: jsonb().$type<StoredVersion['vars']>().notNull(),
  compatibilityDate: text('compatibility_date').notNull(),
  compatibilityFlags: text('compatibility_flags').array().notNull(),
  access: text().$type<NonNullable<StoredVersion['access']>>(),
  metadata: metadata(),
  createdAt: time('created_at').notNull(),
  createdBy: text('created_by').notNull(),
})

/** Attempts to publish. */
export const deployments = schema.table('deployments', {
  id: text().primaryKey(),
  sequence: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
  tenant: text().notNull(),
  service: text().notNull(),
  environment: text().$type<'production' | 'staging' | 'development' | 'internal'>().notNull(),
  tier: text().$type<'internal' | 'public' | 'tenant'>(),
  action: text().$type<'deploy' | 'rollback' | 'promote' | 'canary' | 'unpublish'>().notNull(),
  status: text().$type<'pending' | 'live' | 'preview' | 'failed' | 'down'>().notNull(),
  version: integer(),
  formerVersion: integer('former_version'),
  metadata: metadata(),
  actor: text().notNull(),
  createdAt: time('created_at').notNull(),
  finishedAt: time('finished_at'),
  error: text(),
})

/** Scripts in dispatch namespaces. */
export const scripts = schema.table('scripts', {
  tenant: text().notNull(),
  service: text().notNull(),
  environment: text().notNull(),
  version: integer().notNull(),
  namespace: text().notNull(),
  script: text().notNull(),
  secrets: jsonb().$type<Record<string, number>>().notNull(),
})

/** Secrets of published workers, sealed. */
export const secrets = schema.table('secrets', {
  tenant: text().notNull(),
  service: text().notNull(),
  environment: text().$type<'production' | 'staging' | 'development' | 'internal'>().notNull(),
  name: text().notNull(),
  version: integer().notNull(),
  sealed: text(),
  updatedAt: time('updated_at').notNull(),
  updatedBy: text('updated_by').notNull(),
})

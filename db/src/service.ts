import { db } from '@dot-do/worker-contracts/db'
import { implement } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/db.json' with { type: 'json' }
import { observed } from './analytics/tracking.ts'
import type { Env } from './env.ts'
import { ledger } from './ledger.ts'
import { analyze, listRefusals, track, trackLines } from './operations/analytics.ts'
import { updateAnalytics } from './operations/analytics-hours.ts'
import { backup, listBackups } from './operations/backups.ts'
import { embed, generateMissingEmbeddings } from './operations/embeddings.ts'
import { health } from './operations/health.ts'
import { purgeDeleted } from './operations/maintenance.ts'
import { getPublic, listPublic } from './operations/public.ts'
import { incoming, relate, relationships, unrelate } from './operations/relationships.ts'
import { search } from './operations/search.ts'
import { execute, query } from './operations/sql.ts'
import { activity, recent, stats, types } from './operations/summaries.ts'
import { count, get, getAt, history, list } from './operations/things-read.ts'
import { batch, deleteThing, importLines, restore, update, upsert } from './operations/things-written.ts'

const things = { list, get, getAt, upsert, update, delete: deleteThing, restore, count, search, history, stats, types, recent, activity }
const relations = { relate, unrelate, relationships, incoming }
const many = { batch, import: importLines, embed, generateMissingEmbeddings, purgeDeleted, backup, listBackups, updateAnalytics, listRefusals }

/** What db does, by contract. */
export const service = implement<typeof db, Env>(
  db,
  { health, ...things, ...relations, ...many, getPublic, listPublic, track, trackLines, analyze, query, execute },
  { document, ledger, observed },
)

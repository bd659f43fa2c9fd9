import { db } from '@dot-do/worker-contracts/db'
import { implement } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/db.json' with { type: 'json' }
import type { Env } from './env.ts'
import { ledger } from './ledger.ts'
import { health } from './operations/health.ts'
import { execute, query } from './operations/sql.ts'
import { batch, deleteThing, update, upsert } from './operations/things-written.ts'
import { count, get, history, list, stats } from './operations/things-read.ts'

/** What db does, by contract. */
export const service = implement<typeof db, Env>(
  db,
  { health, get, list, upsert, update, delete: deleteThing, count, history, batch, query, stats, execute },
  { document, ledger },
)

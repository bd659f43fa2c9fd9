import { getTableConfig } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { generations, jobs, types } from '../src/tables.ts'
import { startQueue, type QueueInProcess } from './in-process.ts'

let queue: QueueInProcess

beforeAll(async () => {
  queue = await startQueue()
})
afterAll(() => queue.close())

/** Columns as the migrations made them: name, type, and whether null is refused. */
function migrated(table: string): Promise<(string | null)[][]> {
  const sql = `select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute where attrelid = 'queue.${table}'::regclass and attnum > 0 and not attisdropped order by attname`
  return owned(queue.db.database, sql)
}

describe('queue’s tables', () => {
  it.each([
    ['jobs', jobs],
    ['types', types],
    ['generations', generations],
  ])('are in PostgreSQL as Drizzle has them: %s', async (name, table) => {
    const columns = getTableConfig(table).columns.map((column) => [column.name, column.getSQLType(), column.notNull ? 't' : 'f'])

    expect(columns.sort()).toEqual(await migrated(name))
  })
})

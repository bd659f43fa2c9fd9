import { migrate } from '@dot-do/worker-data/migrations'
import { testRoleSecret } from '@dot-do/worker-data/testing'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { audit, invites, keys, members, organisations, refusedTokens, roles, sessions, signingKeys, trusts } from '../src/tables.ts'
import { startAuth, type AuthInProcess } from './in-process.ts'

let auth: AuthInProcess

beforeAll(async () => {
  auth = await startAuth()
})
afterAll(() => auth.db.close())

/** Columns as the migrations made them: name, type, and whether null is refused. */
function migrated(table: string): Promise<(string | null)[][]> {
  const sql = `select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute where attrelid = 'auth.${table}'::regclass and attnum > 0 and not attisdropped order by attname`
  return owned(auth.db.database, sql)
}

describe('auth’s tables', () => {
  it.each([
    ['keys', keys],
    ['audit', audit],
    ['sessions', sessions],
    ['refused_tokens', refusedTokens],
    ['signing_keys', signingKeys],
    ['organisations', organisations],
    ['members', members],
    ['roles', roles],
    ['invites', invites],
    ['trusts', trusts],
  ])('are in PostgreSQL as Drizzle has them: %s', async (name, table) => {
    const columns = getTableConfig(table).columns.map((column) => [column.name, column.getSQLType(), column.notNull ? 't' : 'f'])

    expect(columns.sort()).toEqual(await migrated(name))
  })

  it('are left alone by a second migration', async () => {
    expect(await migrate(auth.db.database.engine, auth.db.services, { roleSecret: testRoleSecret })).toEqual({ applied: [] })
  })

  it.each(['update auth.audit set actor = actor', 'delete from auth.audit', 'with gone as (delete from auth.audit returning *) select * from gone'])(
    'keep the service from changing its audit log: %s',
    async (sql) => {
      await expect(auth.db.database.execute('auth')([{ sql, params: [] }])).rejects.toMatchObject({ code: '42501' })
    },
  )
})

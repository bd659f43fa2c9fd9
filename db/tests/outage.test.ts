import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { service } from '../src/service.ts'
import { binding, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess
let db: ReturnType<typeof bound>

const bound = () => binding(service, running.env, { principal: { id: 'writer', permissions: ['*'] } })

beforeAll(async () => {
  running = await startDb(['db'])
  db = bound()
})
beforeEach(() => running.database.reset())
afterAll(() => running.close())

describe('while the database cannot be reached', () => {
  it('operations say UNAVAILABLE, and not where it is', async () => {
    const outcomes = await running.duringOutage(() =>
      Promise.allSettled([
        db.get({ id: 'note' }),
        db.upsert({ $type: 'Note' }),
        db.query({ sql: 'select 1' }),
        db.upsert({ $type: 'Note' }, { idempotencyKey: 'k' }),
      ]),
    )

    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE', message: 'The database cannot be reached' } })
      expect(JSON.stringify(outcome)).not.toContain('db.internal')
    }
  })

  it('health is an answer that names the check, and not where the database is', async () => {
    const health = await running.duringOutage(() => db.health({}))

    expect(health).toMatchObject({ status: 'error', service: 'db', checks: { postgres: { status: 'error', message: 'The database cannot be reached' } } })
  })

  it('nothing is remembered that was not done, so the same key works afterwards', async () => {
    const write = () => db.upsert({ $type: 'Note', $id: 'note' }, { idempotencyKey: 'kept' })
    await expect(running.duringOutage(write)).rejects.toMatchObject({ code: 'UNAVAILABLE' })

    expect(await write()).toMatchObject({ $id: 'note', version: 1 })
    expect(await db.health({})).toMatchObject({ checks: { postgres: { status: 'ok' } } })
  })
})

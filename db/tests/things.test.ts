import { encodeCursor } from '@dot-do/worker-utils'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { service } from '../src/service.ts'
import { binding, owned, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess
let db: ReturnType<typeof as>

/** db as a Worker with these rights sees it. */
function as(id: string, permissions = ['things:read', 'things:write'], tenant?: string) {
  return binding(service, running.env, { principal: { id, permissions, ...(tenant === undefined ? {} : { tenant }) } })
}

beforeAll(async () => {
  running = await startDb(['db'])
})
beforeEach(async () => {
  await running.database.reset()
  db = as('writer')
})
afterAll(() => running.close())

const NOTE = { $type: 'Note', $id: 'note', content: 'first' }

describe('the ledger', () => {
  it('remembers a keyed call for 24 hours and not longer', async () => {
    const idempotencyKey = 'same'
    const first = await db.upsert(NOTE, { idempotencyKey })
    await db.update({ id: 'note', content: 'changed' })

    await owned(running.database, `update db.ledger set created_at = now() - interval '23 hours 59 minutes'`)
    const remembered = await db.upsert(NOTE, { idempotencyKey })
    await owned(running.database, `update db.ledger set created_at = now() - interval '24 hours 1 minute'`)
    const anew = await db.upsert(NOTE, { idempotencyKey })

    expect(remembered).toEqual(first)
    expect(anew).toMatchObject({ content: 'first', version: 3 })
  })

  it('drops what is older than 24 hours when something new is written', async () => {
    await db.upsert(NOTE, { idempotencyKey: 'old' })
    await owned(running.database, `update db.ledger set created_at = now() - interval '25 hours'`)

    await db.upsert({ ...NOTE, content: 'second' }, { idempotencyKey: 'new' })

    expect(await owned(running.database, 'select key from db.ledger')).toEqual([['new']])
  })

  it('remembers no refusal: the same key may be tried again once the reason is gone', async () => {
    const update = () => db.update({ id: 'note', content: 'second' }, { idempotencyKey: 'again' })
    await expect(update()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await db.upsert(NOTE)

    expect(await update()).toMatchObject({ content: 'second', version: 2 })
  })

  it('does not take a key for another operation’s', async () => {
    const idempotencyKey = 'shared'
    await db.upsert(NOTE, { idempotencyKey })

    expect(await db.update({ id: 'note', content: 'second' }, { idempotencyKey })).toMatchObject({ version: 2 })
  })

  it('compares inputs by what they mean, not by how they were spelt', async () => {
    const idempotencyKey = 'spelling'
    const first = await db.upsert({ $type: 'Note', $id: 'note', data: { a: 1, b: 2 } }, { idempotencyKey })

    const again = await db.upsert({ data: { b: 2, a: 1 }, content: '', $id: 'note', $type: 'Note' }, { idempotencyKey })

    expect(again).toEqual(first)
  })

  it('keeps a batch’s whole answer', async () => {
    const commands = [
      { operation: 'upsert' as const, input: NOTE },
      { operation: 'update' as const, input: { id: 'note', content: 'second' } },
    ]
    const first = await db.batch({ commands }, { idempotencyKey: 'batch' })

    const again = await db.batch({ commands }, { idempotencyKey: 'batch' })

    expect(again).toEqual(first)
    expect(await owned(running.database, 'select count(*) from db.thing_versions')).toEqual([['2']])
  })

  it.each(['', 'x'.repeat(256)])('refuses a key of %j', async (idempotencyKey) => {
    await expect(db.upsert(NOTE, { idempotencyKey })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'Idempotency-Key' }] })
    expect(await db.count({})).toEqual({ count: 0 })
  })
})

describe('a cursor', () => {
  it.each([
    ['a number where an id is due', 'list', encodeCursor(7)],
    ['a list', 'list', encodeCursor(['note'])],
    ['nothing', 'list', encodeCursor(null)],
    ['an id where a version is due', 'history', encodeCursor('note')],
    ['a fraction', 'history', encodeCursor(1.5)],
    ['a number beyond counting', 'history', encodeCursor(1e300)],
    ['a number beyond PostgreSQL’s', 'history', encodeCursor(2_147_483_648)],
    ['text that is none', 'list', '%%%'],
  ] as const)('that is %s is refused and named', async (_name, operation, cursor) => {
    await db.upsert(NOTE)

    const refused = operation === 'list' ? db.list({ cursor }) : db.history({ id: 'note', cursor })

    await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'cursor' }] })
  })

  it('beyond the last version ends the history', async () => {
    await db.upsert(NOTE)

    expect(await db.history({ id: 'note', cursor: encodeCursor(-1) })).toEqual({ items: [], nextCursor: null })
  })
})

describe('a namespace', () => {
  it('is the asker’s tenant unless told', async () => {
    await as('other', undefined, 'acme').upsert(NOTE)

    expect(await as('other', undefined, 'acme').get({ id: 'note' })).toMatchObject({ ns: 'acme' })
    await expect(db.get({ id: 'note' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('of others is not there for whoever lacks *, and open to whoever has it', async () => {
    await as('other', undefined, 'acme').upsert(NOTE)

    const refused = await Promise.allSettled([
      db.get({ id: 'note', ns: 'acme' }),
      db.list({ ns: 'acme' }),
      db.count({ ns: 'acme' }),
      db.history({ id: 'note', ns: 'acme' }),
      db.stats({ ns: 'acme' }),
      db.upsert({ ...NOTE, ns: 'acme' }),
      db.update({ id: 'note', ns: 'acme', content: 'x' }),
      db.delete({ id: 'note', ns: 'acme' }),
      db.batch({ commands: [{ operation: 'delete', input: { id: 'note', ns: 'acme' } }] }),
    ])

    expect(refused.map((outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code)).toEqual(refused.map(() => 'NOT_FOUND'))
    expect(await as('admin', ['*']).get({ id: 'note', ns: 'acme' })).toMatchObject({ version: 1, content: 'first' })
  })
})

describe('changes at the same moment', () => {
  it('of one thing all become versions, one after the other', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, index) => db.upsert({ ...NOTE, content: `${index}` })))

    const { items } = await db.history({ id: 'note', limit: 100 })

    expect(items.map(({ version }) => version)).toEqual(Array.from({ length: 20 }, (_, index) => 20 - index))
    expect(new Set(items.map(({ content }) => content))).toHaveProperty('size', 20)
  })

  it('that expect the same version: one wins, the others are told', async () => {
    await db.upsert(NOTE)

    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => db.update({ id: 'note', content: `${index}`, ifVersion: 1 })))

    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as { code: string; details: unknown }] : []))
    expect(refused).toHaveLength(7)
    expect(refused[0]).toMatchObject({ code: 'CONFLICT', details: [{ path: 'ifVersion', message: 'The current version is 2' }] })
  })
})

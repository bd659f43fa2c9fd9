import { encodeCursor } from '@dot-do/worker-utils'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'

let auth: AuthInProcess
let admin: BoundAuth

beforeAll(async () => {
  auth = await startAuth()
  admin = auth.as('operator', ['*'])
})
beforeEach(() => auth.db.database.reset())
afterAll(() => auth.db.close())

const READER = { name: 'reader', permissions: ['things:read'] }

async function lastUse(): Promise<string | null | undefined> {
  return (await owned(auth.db.database, 'select last_used_at from auth.keys'))[0]?.[0]
}

describe('the last use of a key', () => {
  it('is noted when it is used, and then not for a minute', async () => {
    const { key = '' } = await admin.createKey(READER)
    const before = await lastUse()
    await admin.verifyKey({ key })
    const first = await lastUse()
    await admin.verifyKey({ key })
    const second = await lastUse()
    await auth.db.database.engine.script(`update auth.keys set last_used_at = now() - interval '61 seconds'`)
    const aged = await lastUse()

    await admin.verifyKey({ key })

    expect(before).toBeNull()
    expect(first).not.toBeNull()
    expect(second).toBe(first)
    expect(await lastUse()).not.toBe(aged)
  })

  it('is not noted for a key that is refused', async () => {
    const { id, key = '' } = await admin.createKey(READER)
    await admin.revokeKey({ id })

    expect(await admin.verifyKey({ key })).toEqual({ valid: false, reason: 'revoked' })
    expect(await lastUse()).toBeNull()
  })
})

describe('what is stored of a key', () => {
  it('is nothing that it could be told from, in no table', async () => {
    const { id, key = '' } = await admin.createKey(READER, { idempotencyKey: 'made' })
    await admin.rotateKey({ id }, { idempotencyKey: 'rotated' })

    const tables = await Promise.all(['keys', 'audit', 'ledger'].map((table) => owned(auth.db.database, `select t::text from auth.${table} t`)))

    expect(tables.map((rows) => rows.length)).toEqual([2, 2, 2])
    expect(JSON.stringify(tables)).not.toContain(key.slice(-40))
  })

  it('is of no use under another pepper', async () => {
    const { key = '' } = await admin.createKey(READER)
    auth.env.KEY_PEPPER = 'another'

    const answer = await admin.verifyKey({ key })
    auth.env.KEY_PEPPER = 'the pepper of tests'

    expect(answer).toEqual({ valid: false, reason: 'unknown' })
    expect(await admin.verifyKey({ key })).toMatchObject({ valid: true, principal: { kind: 'key', permissions: ['things:read'] } })
  })
})

describe('rotation', () => {
  it('hands on name, permissions, tenant, limit and addresses', async () => {
    const old = await admin.createKey({ ...READER, tenant: 'acme', limitPerMinute: 7, allowedAddresses: ['10.0.0.0/8'], expiresInDays: 2 })

    const { key = '', ...fresh } = await admin.rotateKey({ id: old.id })

    const { name, permissions, tenant, limitPerMinute, allowedAddresses } = old
    expect(fresh).toMatchObject({ name, permissions, tenant, limitPerMinute, allowedAddresses, replacedBy: null })
    expect(fresh.id).not.toBe(old.id)
    expect(await admin.getKey({ id: old.id })).toMatchObject({ replacedBy: fresh.id })
    expect(await admin.verifyKey({ key, address: '10.1.2.3' })).toMatchObject({ valid: true, addressBound: true })
  })

  it('is refused for a key that ended meanwhile, and makes none', async () => {
    const { id } = await admin.createKey(READER)
    await admin.revokeKey({ id })

    await expect(admin.rotateKey({ id })).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'id' }] })
    expect(await owned(auth.db.database, 'select count(*) from auth.keys')).toEqual([['1']])
  })
})

describe('a cursor of keys', () => {
  it.each([
    encodeCursor('key_1'),
    encodeCursor(['1', 'key_1']),
    encodeCursor(['2026-01-01T00:00:00.000Z']),
    encodeCursor({ at: 1 }),
    encodeCursor([]),
    'nonsense!',
  ])('is refused and named when it is another list’s: %s', async (cursor) => {
    await expect(admin.listKeys({ cursor })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'cursor' }] })
  })

  it('tells keys apart that were made at the same moment', async () => {
    for (const name of ['a', 'b', 'c']) await admin.createKey({ ...READER, name })
    await auth.db.database.engine.script(`update auth.keys set created_at = '2026-01-01T00:00:00.000Z'`)

    const first = await admin.listKeys({ limit: 2 })
    const second = await admin.listKeys({ limit: 2, cursor: first.nextCursor ?? '' })

    expect(new Set([...first.items, ...second.items].map(({ id }) => id))).toHaveProperty('size', 3)
    expect(second.nextCursor).toBeNull()
  })
})

describe('while the database cannot be reached', () => {
  it('health says so, and every operation that needs it is UNAVAILABLE', async () => {
    const { id, key = '' } = await admin.createKey(READER)

    const [health, ...outcomes] = await auth.db.duringOutage(() =>
      Promise.allSettled([
        admin.health({}),
        admin.getKey({ id }),
        admin.verifyKey({ key }),
        admin.createKey(READER),
        admin.createKey(READER, { idempotencyKey: 'k' }),
        admin.revokeKey({ id }),
        admin.listAudit({}),
        admin.verifyAudit({}),
      ]),
    )

    expect(health).toMatchObject({
      value: { status: 'error', service: 'auth', checks: { db: { status: 'error', message: 'The database cannot be reached' } } },
    })
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE', message: 'The database cannot be reached' } })
  })

  it('what needs no database still answers', async () => {
    const answers = await auth.db.duringOutage(() => Promise.all([admin.can({ permission: 'things:read' }), admin.verifyKey({ key: 'sk_test_x' })]))

    expect(answers).toMatchObject([{ allowed: true }, { valid: false, reason: 'malformed' }])
  })
})

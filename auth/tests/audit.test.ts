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

/** Three keys made one after the other; the ids of the entries that tell of it, oldest first. */
async function threeEntries(): Promise<string[]> {
  for (const name of ['one', 'two', 'three']) await admin.createKey({ name, permissions: ['things:read'] })
  return (await owned(auth.db.database, 'select id from auth.audit order by sequence')).map(([id]) => id ?? '')
}

describe('the audit log', () => {
  it('is in order when nothing happened, and when nothing happened to it', async () => {
    expect(await admin.verifyAudit({})).toEqual({ valid: true, entries: 0 })

    await threeEntries()

    expect(await admin.verifyAudit({})).toEqual({ valid: true, entries: 3 })
  })

  it('takes what other services did into the chain, under whoever did it', async () => {
    await threeEntries()
    const deploy = auth.as('deploy', ['audit:write'])

    const { id } = await deploy.recordAudit({ actor: 'key_1', action: 'deploy.rollback', subject: 'hello', tenant: 'acme', detail: { commit: 'abc' } })

    const { items } = await admin.listAudit({ limit: 1 })
    expect(items).toMatchObject([{ id, actor: 'key_1', action: 'deploy.rollback', subject: 'hello', tenant: 'acme', detail: { commit: 'abc' } }])
    expect(await admin.verifyAudit({})).toEqual({ valid: true, entries: 4 })
  })

  it.each([
    ['who', `actor = 'somebody else'`],
    ['what', `action = 'auth.getKey'`],
    ['to what', `subject = 'key_other'`],
    ['whose', `tenant = 'acme'`],
    ['when', `at = at + interval '1 microsecond'`],
    ['the details', `detail = detail || '{"permissions": ["*"]}'`],
    ['its name', `id = 'audit_other'`],
    ['its hash', `hash = reverse(hash)`],
  ])('names the entry in which somebody changed %s', async (_what, change) => {
    const [, second] = await threeEntries()

    await auth.db.database.engine.script(`update auth.audit set ${change} where id = '${second}'`)

    const changed = change.startsWith('id') ? 'audit_other' : second
    expect(await admin.verifyAudit({})).toEqual({ valid: false, entries: 3, firstBroken: changed })
  })

  it('names the entry behind one that somebody took out', async () => {
    const [first, second, third] = await threeEntries()

    await auth.db.database.engine.script(`delete from auth.audit where id = '${second}'`)
    const middle = await admin.verifyAudit({})
    await auth.db.database.engine.script(`delete from auth.audit where id = '${first}'`)

    expect(middle).toEqual({ valid: false, entries: 2, firstBroken: third })
    expect(await admin.verifyAudit({})).toEqual({ valid: false, entries: 1, firstBroken: third })
  })

  it('names the next entry when somebody changed one and gave it the hash it now should have', async () => {
    const [, second, third] = await threeEntries()

    await auth.db.database.engine.script(`
      update auth.audit set actor = 'somebody else' where id = '${second}';
      update auth.audit entry set hash = auth.audit_hash((select hash from auth.audit before where before.sequence < entry.sequence order by sequence desc limit 1), entry)
        where id = '${second}'`)

    expect(await admin.verifyAudit({})).toEqual({ valid: false, entries: 3, firstBroken: third })
  })

  it('names an entry that did not come by the function that appends', async () => {
    await threeEntries()
    const columns = 'id, at, actor, action, subject, tenant, detail, hash'

    const [last] = await auth.db.database.execute('auth')([
      {
        sql: `insert into auth.audit (${columns}) select 'audit_forged', at, 'nobody', action, subject, tenant, detail, hash from auth.audit order by sequence desc limit 1 returning id`,
        params: [],
      },
    ])

    expect(last?.rows).toEqual([['audit_forged']])
    expect(await admin.verifyAudit({})).toEqual({ valid: false, entries: 4, firstBroken: 'audit_forged' })
  })

  it('does not fork when many things happen at once', async () => {
    await Promise.all(Array.from({ length: 12 }, (_, index) => admin.createKey({ name: `${index}`, permissions: ['things:read'] })))

    expect(await admin.verifyAudit({})).toEqual({ valid: true, entries: 12 })
  })

  it('tells of a change and nothing of the key, and of no change that was not made', async () => {
    const { id, key = '' } = await admin.createKey({ name: 'reader', permissions: ['things:read'] }, { requestId: 'req_made' })
    await expect(auth.as('limited', ['keys:write']).createKey({ name: 'more', permissions: ['*'] })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await admin.revokeKey({ id })
    await admin.revokeKey({ id })

    const { items } = await admin.listAudit({})

    expect(items).toMatchObject([
      { action: 'auth.revokeKey', subject: id, actor: 'operator' },
      { action: 'auth.createKey', subject: id, detail: { name: 'reader', permissions: ['things:read'], requestId: 'req_made' } },
    ])
    expect(JSON.stringify(items)).not.toContain(key)
  })

  it('shows whoever lacks * the entries of their own tenant', async () => {
    await admin.createKey({ name: 'ours', permissions: ['things:read'] })
    const { id } = await admin.createKey({ name: 'theirs', permissions: ['things:read'], tenant: 'acme' })

    const { items } = await auth.as('theirs', ['audit:read'], 'acme').listAudit({})

    expect(items.map(({ subject }) => subject)).toEqual([id])
  })
})

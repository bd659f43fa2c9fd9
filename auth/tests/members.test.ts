import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'
import { acting, audited, member, organisation, refused } from './people.ts'

let auth: AuthInProcess
let operator: BoundAuth
let acme: Awaited<ReturnType<typeof organisation>>

beforeAll(async () => {
  auth = await startAuth()
  operator = auth.as('operator', ['*'])
})
beforeEach(async () => {
  await auth.db.database.reset()
  acme = await organisation(auth)
})
afterAll(() => auth.db.close())

describe('a membership that ends', () => {
  it('takes sessions of that organisation and all tokens with it', async () => {
    const user = await member(auth, acme, ['user'])
    const other = await organisation(auth, 'Other')
    for (const [session, place] of [
      ['sess_here', acme.id],
      ['sess_there', other.id],
    ])
      await auth.db.database.engine.script(
        `insert into auth.sessions values ('${session}', '${user}', '${place}', '', '', 'code', now(), now(), now() + interval '1 day', null)`,
      )

    const removed = await acme.admin.removeMember({ id: acme.id, user })

    expect(removed).toMatchObject({ user: { id: user }, roles: ['user'] })
    expect(await refused(auth)).toEqual([user])
    expect(await owned(auth.db.database, 'select id from auth.sessions where revoked_at is not null')).toEqual([['sess_here']])
    await expect(acme.admin.removeMember({ id: acme.id, user })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('leaves the keys that the member made: they are the organisation’s', async () => {
    const user = await member(auth, acme, ['admin'])
    const { key = '' } = await (await acting(auth, user, acme.slug)).createKey({ name: 'ours', permissions: ['things:read'] })

    await acme.admin.removeMember({ id: acme.id, user })

    expect(await operator.verifyKey({ key })).toMatchObject({ valid: true, principal: { tenant: acme.slug } })
  })
})

describe('the last admin', () => {
  it('can neither leave nor give the role up', async () => {
    const user = acme.founder

    await expect(acme.admin.removeMember({ id: acme.id, user })).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'user' }] })
    await expect(acme.admin.unassignRole({ user, role: 'admin' })).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'user' }] })
    expect(await refused(auth)).toEqual([])
  })

  it('is counted without admins who are disabled', async () => {
    const disabled = await member(auth, acme, ['admin'])
    await auth.db.database.engine.script(`update auth.users set disabled_at = now() where id = '${disabled}'`)

    await expect(acme.admin.removeMember({ id: acme.id, user: acme.founder })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('stays also where two admins remove each other at once', async () => {
    const other = await member(auth, acme, ['admin'])
    const otherAdmin = await acting(auth, other, acme.slug)

    const outcomes = await Promise.allSettled([
      acme.admin.removeMember({ id: acme.id, user: other }),
      otherAdmin.removeMember({ id: acme.id, user: acme.founder }),
      otherAdmin.unassignRole({ user: acme.founder, role: 'admin' }),
    ])

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await operator.listMembers({ id: acme.id, role: 'admin' })).items).toHaveLength(1)
  })

  it('does not keep others from going', async () => {
    const user = await member(auth, acme, ['viewer'])

    await acme.admin.removeMember({ id: acme.id, user })

    expect((await acme.admin.listMembers({ id: acme.id })).items).toHaveLength(1)
  })
})

describe('the audit log', () => {
  it('tells of every change to members and roles, and chains', async () => {
    const user = await member(auth, acme, [])
    await acme.admin.createRole({ name: 'press', permissions: ['things:read'] })
    await acme.admin.updateRole({ name: 'press', permissions: ['things:read', 'events:read'] })
    await acme.admin.assignRole({ user, role: 'press' })
    await acme.admin.unassignRole({ user, role: 'press' })
    await acme.admin.grantPermission({ user, permission: 'things:read' })
    await acme.admin.revokePermission({ user, permission: 'things:read' })
    await acme.admin.deleteRole({ name: 'press' })
    await acme.admin.removeMember({ id: acme.id, user })

    const changes = [
      'createOrganisation',
      'createRole',
      'updateRole',
      'assignRole',
      'unassignRole',
      'grantPermission',
      'revokePermission',
      'deleteRole',
      'removeMember',
    ]
    expect(await audited(auth)).toEqual(changes.map((name) => `auth.${name}`))
    expect(await operator.verifyAudit({})).toMatchObject({ valid: true })
    expect((await acme.admin.listAudit({ subject: user })).items[0]).toMatchObject({
      actor: acme.founder,
      tenant: 'acme',
      detail: { roles: [], permissions: [] },
    })
  })

  it('tells nothing of what was refused', async () => {
    await acme.admin.removeMember({ id: acme.id, user: acme.founder }).catch(() => undefined)

    expect(await audited(auth)).toEqual(['auth.createOrganisation'])
  })
})

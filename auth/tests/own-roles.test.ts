import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'
import { acting, member, organisation, person, refused } from './people.ts'

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

describe('roles', () => {
  it('give a member what they permit, as do grants, until they are taken back', async () => {
    const user = await member(auth, acme, [])
    await acme.admin.createRole({ name: 'press', permissions: ['events:read', 'deployments:read@*/*/acme'] })

    const assigned = await acme.admin.assignRole({ user, role: 'press' })
    const granted = await acme.admin.grantPermission({ user, permission: 'things:read' })
    const able = await acting(auth, user, acme.slug)
    const reasons = await Promise.all(['events:read', 'things:read', 'things:write'].map((permission) => able.can({ permission })))
    await acme.admin.unassignRole({ user, role: 'press' })
    await acme.admin.revokePermission({ user, permission: 'things:read' })
    const unable = await acting(auth, user, acme.slug)

    expect(assigned.roles).toEqual(['press'])
    expect(granted.permissions).toEqual(['things:read'])
    expect(reasons).toEqual([
      { allowed: true, reason: `${user} has events:read by the role press in acme` },
      { allowed: true, reason: `${user} has things:read, granted in acme` },
      { allowed: false, reason: `${user} has no permission that covers things:write` },
    ])
    expect(await unable.can({ permission: 'events:read' })).toMatchObject({ allowed: false })
    expect(await able.can({ permission: 'events:read' })).toMatchObject({ reason: expect.stringContaining('before a change in acme') as unknown })
    expect(await refused(auth)).toEqual([user])
  })

  it('given twice are had once', async () => {
    const user = await member(auth, acme, ['user'])

    await acme.admin.assignRole({ user, role: 'viewer' })
    await acme.admin.assignRole({ user, role: 'viewer' })
    await acme.admin.grantPermission({ user, permission: 'events:read' })

    expect(await acme.admin.grantPermission({ user, permission: 'events:read' })).toMatchObject({ roles: ['user', 'viewer'], permissions: ['events:read'] })
    expect(await refused(auth)).toEqual([])
  })

  it('are listed with what each may do here', async () => {
    await acme.admin.createRole({ name: 'press', permissions: ['things:read'] })

    const { roles } = await acme.admin.listRoles({})

    expect(roles.map(({ name, builtIn }) => [name, builtIn])).toEqual([
      ['admin', true],
      ['user', true],
      ['viewer', true],
      ['press', false],
    ])
    expect(roles.find(({ name }) => name === 'admin')?.permissions).toContain('deployments:create@*/*/acme')
    expect((await operator.listRoles({ organisation: acme.slug })).roles).toEqual(roles)
  })

  it('of one organisation are unknown in another', async () => {
    await acme.admin.createRole({ name: 'press', permissions: ['things:read'] })
    const other = await organisation(auth, 'Other')

    expect((await other.admin.listRoles({})).roles.map(({ name }) => name)).toEqual(['admin', 'user', 'viewer'])
    await expect(other.admin.assignRole({ user: other.founder, role: 'press' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'role' }] })
    await expect(other.admin.createKey({ name: 'k', role: 'press' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'role' }] })
    await expect(other.admin.deleteRole({ name: 'press' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('that are narrowed refuse the tokens of all who have them, those that are widened of nobody', async () => {
    await acme.admin.createRole({ name: 'press', permissions: ['things:read'] })
    const user = await member(auth, acme, ['press'])

    await acme.admin.updateRole({ name: 'press', permissions: ['things:read', 'events:read'] })
    const widened = await refused(auth)
    await acme.admin.updateRole({ name: 'press', permissions: ['events:read'] })

    expect(widened).toEqual([])
    expect(await refused(auth)).toEqual([user])
    expect(await (await acting(auth, user, acme.slug)).can({ permission: 'things:read' })).toMatchObject({ allowed: false })
  })

  it('that are deleted are lost by whoever has or was promised them', async () => {
    await acme.admin.createRole({ name: 'press', permissions: ['things:read'] })
    const user = await member(auth, acme, ['press', 'viewer'])
    await acme.admin.createInvite({ id: acme.id, email: 'new@example.com', role: 'press' })

    await acme.admin.deleteRole({ name: 'press' })

    expect((await acme.admin.listMembers({ id: acme.id })).items.find((one) => one.user.id === user)?.roles).toEqual(['viewer'])
    expect((await acme.admin.listInvites({ id: acme.id })).items).toEqual([])
    expect(await refused(auth)).toEqual([user])
    await expect(acme.admin.deleteRole({ name: 'press' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it.each(['admin', 'user', 'viewer'])('that are built in stay as they are: %s', async (name) => {
    await expect(acme.admin.createRole({ name, permissions: ['things:read'] })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(acme.admin.updateRole({ name, permissions: ['things:read'] })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(acme.admin.deleteRole({ name })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('are made under a name once', async () => {
    await acme.admin.createRole({ name: 'press', permissions: ['things:read'] })

    await expect(acme.admin.createRole({ name: 'press', permissions: ['things:read'] })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: [{ path: 'name' }],
    })
  })
})

describe('nobody gives what they lack', () => {
  it('by a role, a grant, an invite, an assignment, a key or a trust', async () => {
    await acme.admin.createRole({
      name: 'clerk',
      permissions: ['members:write', 'roles:write', 'keys:write', 'workloads:write', 'things:read', 'jobs:read', 'tasks:read'],
    })
    await acme.admin.createRole({ name: 'press', permissions: ['events:read'] })
    const clerk = await acting(auth, await member(auth, acme, ['clerk']), acme.slug)
    const user = await member(auth, acme, [])
    const { id } = acme

    const outcomes = await Promise.allSettled([
      clerk.createRole({ name: 'mine', permissions: ['things:write'] }),
      clerk.updateRole({ name: 'press', permissions: ['things:write'] }),
      clerk.assignRole({ user, role: 'admin' }),
      clerk.assignRole({ user, role: 'press' }),
      clerk.grantPermission({ user, permission: 'things:write' }),
      clerk.createInvite({ id, email: 'me-too@example.com', role: 'admin' }),
      clerk.createKey({ name: 'k', role: 'user' }),
      clerk.createTrust({ repository: 'acme/shop', permissions: ['things:write'] }),
    ])

    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'given'))).toEqual(
      outcomes.map(() => 'FORBIDDEN'),
    )
    expect(await clerk.assignRole({ user, role: 'viewer' })).toMatchObject({ roles: ['viewer'] })
  })

  it.each(['*', 'waitlist:read', 'deployments:create', 'deployments:create@hello/production/globex', 'keys:*'])(
    'nor anybody what reaches beyond an organisation, not even the platform’s admin: %s',
    async (permission) => {
      const user = acme.founder

      await expect(operator.grantPermission({ organisation: acme.id, user, permission })).rejects.toMatchObject({ code: 'FORBIDDEN' })
      await expect(operator.createTrust({ tenant: acme.slug, repository: 'acme/shop', permissions: [permission] })).rejects.toMatchObject({ code: 'FORBIDDEN' })
      await expect(acme.admin.createRole({ name: 'mine', permissions: [permission] })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    },
  )

  it('while a member of the platform’s own organisation can be made its admin', async () => {
    const user = await person(auth)
    await auth.db.database.engine.script(
      `insert into auth.members (organisation_id, user_id, roles, source, since) select id, '${user}', '{}', 'invite', now() from auth.organisations where slug = 'default'`,
    )

    await operator.assignRole({ organisation: 'default', user, role: 'admin' })

    expect(await (await acting(auth, user, 'default')).can({ permission: 'waitlist:read' })).toMatchObject({ allowed: true })
  })

  it('and a key of another tenant gets what the role permits there', async () => {
    const { permissions } = await operator.createKey({ name: 'k', role: 'admin', tenant: acme.slug })

    expect(permissions).not.toContain('*')
    expect(permissions).toContain('deployments:create@*/*/acme')
  })
})

describe('can', () => {
  it.each([
    ['hello/production/acme', true],
    ['hello/production', false],
    ['*/*/acme', true],
    ['*/*/globex', false],
  ])('takes what it is about as one text: %s', async (resource, allowed) => {
    expect(await acme.admin.can({ permission: 'deployments:create', resource })).toMatchObject({ allowed })
  })

  it.each(['a/b/c/d', 'a//c', 'a b'])('refuses a text that is none: %s', async (resource) => {
    await expect(acme.admin.can({ permission: 'deployments:create', resource })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'resource' }] })
  })

  it('refuses both at once', async () => {
    await expect(acme.admin.can({ permission: 'things:read', resource: 'a', tenant: 'b' })).rejects.toMatchObject({
      code: 'INVALID',
      details: [{ path: 'resource' }],
    })
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'
import { acting, audited, organisation, person, refused } from './people.ts'

let auth: AuthInProcess
let operator: BoundAuth

beforeAll(async () => {
  auth = await startAuth()
  operator = auth.as('operator', ['*'])
})
beforeEach(() => auth.db.database.reset())
afterAll(() => auth.db.close())

describe('an organisation', () => {
  it('is founded with its founder as admin, who may what concerns it and nothing else', async () => {
    const { id, slug, founder, admin } = await organisation(auth, 'Acme & Sons')

    const { items } = await admin.listMembers({ id })
    const outcomes = await Promise.all(['things:write', 'members:write', 'waitlist:read', '*'].map((permission) => admin.can({ permission })))

    expect(slug).toBe('acme-sons')
    expect(items).toMatchObject([{ user: { id: founder }, roles: ['admin'], source: 'founder' }])
    expect(outcomes.map(({ allowed }) => allowed)).toEqual([true, true, false, false])
    expect(await audited(auth)).toEqual(['auth.createOrganisation'])
  })

  it('is founded once for a repeated call', async () => {
    const founder = await acting(auth, await person(auth), 'nowhere')

    const first = await founder.createOrganisation({ name: 'Acme' }, { idempotencyKey: 'once' })
    const second = await founder.createOrganisation({ name: 'Acme' }, { idempotencyKey: 'once' })

    expect(second).toEqual(first)
    expect((await founder.listOrganisations({})).items).toEqual([first])
  })

  it.each(['default', 'gateway', 'auth', 'admin', 'tenant'])('cannot take a slug that is the platform’s: %s', async (slug) => {
    const founder = await acting(auth, await person(auth), 'nowhere')

    await expect(founder.createOrganisation({ name: 'Mine', slug })).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'slug' }] })
  })

  it('cannot take the slug of another, of one that has ended, nor the tenant of API keys', async () => {
    await organisation(auth, 'Acme')
    const ended = await organisation(auth, 'Globex')
    await ended.admin.deleteOrganisation({ id: ended.id })
    await operator.createKey({ name: 'k', permissions: ['things:read'], tenant: 'initech' })
    const founder = await acting(auth, await person(auth), 'nowhere')

    for (const slug of ['acme', 'globex', 'initech'])
      await expect(founder.createOrganisation({ name: 'Mine', slug })).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'slug' }] })
  })

  it('needs a slug where none can be made from the name', async () => {
    const founder = await acting(auth, await person(auth), 'nowhere')

    await expect(founder.createOrganisation({ name: '株式会社' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'slug' }] })
  })

  it('is one of twenty at most that a user founds, also where two are founded at once', async () => {
    const founder = await acting(auth, await person(auth), 'nowhere')
    for (let made = 0; made < 19; made++) await founder.createOrganisation({ name: `Number ${made}` })

    const outcomes = await Promise.allSettled(['last', 'too many'].map((name) => founder.createOrganisation({ name })))

    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'CONFLICT' } })
  })

  it('is founded by people alone, and by whoever may everything', async () => {
    await expect(auth.as('worker', ['things:read']).createOrganisation({ name: 'Mine' })).rejects.toMatchObject({ code: 'FORBIDDEN' })

    const { id } = await operator.createOrganisation({ name: 'Made for others' })

    expect((await operator.listMembers({ id })).items).toEqual([])
  })

  it('is renamed by its admin, and keeps its slug', async () => {
    const { id, slug, admin } = await organisation(auth)

    expect(await admin.updateOrganisation({ id: slug, name: 'Better Acme' })).toMatchObject({ id, slug, name: 'Better Acme' })
    expect(await admin.getOrganisation({ id })).toMatchObject({ name: 'Better Acme' })
  })
})

describe('another organisation than one’s own', () => {
  it('is not there, whatever is asked of it', async () => {
    const ours = await organisation(auth, 'Ours')
    const theirs = await organisation(auth, 'Theirs')
    const { id } = theirs
    const user = theirs.founder
    const { id: invite } = await theirs.admin.createInvite({ id, email: 'new@example.com' })

    const outcomes = await Promise.allSettled([
      ours.admin.getOrganisation({ id }),
      ours.admin.getOrganisation({ id: theirs.slug }),
      ours.admin.updateOrganisation({ id, name: 'Ours, too' }),
      ours.admin.deleteOrganisation({ id }),
      ours.admin.listMembers({ id }),
      ours.admin.removeMember({ id, user }),
      ours.admin.createInvite({ id, email: 'spy@example.com' }),
      ours.admin.listInvites({ id }),
      ours.admin.revokeInvite({ id, invite }),
      ours.admin.revokeInvite({ id: ours.id, invite }),
      ours.admin.listRoles({ organisation: id }),
      ours.admin.assignRole({ organisation: id, user, role: 'viewer' }),
      ours.admin.unassignRole({ organisation: id, user, role: 'admin' }),
      ours.admin.unassignRole({ user, role: 'admin' }),
      ours.admin.grantPermission({ organisation: id, user, permission: 'things:read' }),
      ours.admin.revokePermission({ organisation: id, user, permission: 'things:read' }),
    ])

    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'an answer'))).toEqual(
      outcomes.map(() => 'NOT_FOUND'),
    )
    expect((await ours.admin.listOrganisations({})).items.map(({ slug }) => slug)).toEqual([ours.slug])
  })

  it('is shown to its members whichever they act in, and to whoever may everything', async () => {
    const first = await organisation(auth, 'First')
    const second = await first.admin.createOrganisation({ name: 'Second' })

    expect((await first.admin.listOrganisations({})).items.map(({ slug }) => slug)).toEqual(['second', 'first'])
    expect(await first.admin.getOrganisation({ id: second.id })).toEqual(second)
    await expect(first.admin.listMembers({ id: second.id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await operator.listOrganisations({})).items.map(({ slug }) => slug)).toContain('second')
    expect((await operator.listMembers({ id: second.id })).items).toHaveLength(1)
  })
})

describe('lists', () => {
  it('go page by page, each entry once, also where entries are of the same moment', async () => {
    const { id, admin } = await organisation(auth)
    const values = ['a', 'b', 'c', 'd'].map((name) => `('user_${name.repeat(26)}', '${name}@x.test', '${name}', now())`)
    await auth.db.database.engine.script(
      `insert into auth.users (id, email, name, created_at) values ${values.join(',')};
       insert into auth.members (organisation_id, user_id, roles, source, since) select '${id}', id, array['viewer'], 'invite', '2030-01-01Z' from auth.users where name in ('a','b','c','d')`,
    )

    const pages = [await admin.listMembers({ id, limit: 2 })]
    for (let last = pages[0]; last?.nextCursor; last = pages.at(-1)) pages.push(await admin.listMembers({ id, limit: 2, cursor: last.nextCursor }))

    expect(pages.map(({ items }) => items.length)).toEqual([2, 2, 1])
    expect(new Set(pages.flatMap(({ items }) => items.map(({ user }) => user.id)))).toHaveProperty('size', 5)
    expect((await admin.listMembers({ id, role: 'viewer' })).items).toHaveLength(4)
  })

  it('refuse the cursor of another list', async () => {
    const { id, admin } = await organisation(auth)
    const ask = [
      admin.listMembers({ id, cursor: 'x' }),
      admin.listInvites({ id, cursor: 'x' }),
      admin.listOrganisations({ cursor: 'x' }),
      admin.listTrusts({ cursor: 'x' }),
    ]

    for (const outcome of await Promise.allSettled(ask)) expect(outcome).toMatchObject({ reason: { code: 'INVALID', details: [{ path: 'cursor' }] } })
  })
})

describe('the end of an organisation', () => {
  it('ends its memberships, invites, roles, sessions, keys and trusts, and refuses the tokens of all its members', async () => {
    const { id, slug, founder, admin } = await organisation(auth)
    await admin.createRole({ name: 'press', permissions: ['things:read'] })
    await admin.createInvite({ id, email: 'new@example.com' })
    const { key = '' } = await admin.createKey({ name: 'ours', role: 'press' })
    const trust = await admin.createTrust({ repository: 'acme/shop', permissions: ['things:read'] })
    await auth.db.database.engine.script(
      `insert into auth.sessions values ('sess_1', '${founder}', '${id}', '', '', 'code', now(), now(), now() + interval '1 day', null)`,
    )

    await admin.deleteOrganisation({ id })

    const left = await owned(
      auth.db.database,
      `select (select count(*) from auth.members), (select count(*) from auth.roles), (select count(*) from auth.trusts),
        (select count(*) from auth.invites where revoked_at is null), (select count(*) from auth.sessions where revoked_at is null)`,
    )
    expect(left).toEqual([['0', '0', '0', '0', '0']])
    expect(await refused(auth)).toEqual([trust.id, founder].toSorted())
    expect(await operator.verifyKey({ key })).toEqual({ valid: false, reason: 'revoked' })
    await expect(operator.getOrganisation({ id: slug })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(admin.listMembers({ id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is refused for the platform’s own', async () => {
    await expect(operator.deleteOrganisation({ id: 'default' })).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { Directory, type Event } from './directory-events.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'
import { audited, organisation, person, refused } from './people.ts'

let auth: AuthInProcess
let operator: BoundAuth
let acme: Awaited<ReturnType<typeof organisation>>
let directory: Directory

beforeAll(async () => {
  auth = await startAuth()
  operator = auth.as('operator', ['*'])
})
beforeEach(async () => {
  await auth.db.database.reset()
  acme = await organisation(auth)
  directory = new Directory()
})
afterAll(() => auth.db.close())

const link = (more: object = {}) =>
  operator.linkDirectory({ id: acme.id, directory: directory.id, groupRoles: { staff: 'user', bosses: 'admin' }, defaultRole: 'viewer', ...more })

async function apply(...events: Event[]): Promise<boolean[]> {
  const outcomes: boolean[] = []
  for (const event of events) outcomes.push((await operator.applyDirectoryEvent(event)).applied)
  return outcomes
}

/** The members that the directory keeps, each with the roles. */
async function kept(): Promise<Record<string, string[]>> {
  const { items } = await operator.listMembers({ id: acme.id, limit: 100 })
  return Object.fromEntries(items.filter(({ source }) => source === 'directory').map(({ user, roles }) => [user.email, roles]))
}

describe('a directory', () => {
  it('makes its people members, with roles by their groups', async () => {
    await link()

    await apply(directory.user('created', 'ada'), directory.user('created', 'bob'), directory.group('created', 'staff'), directory.group('created', 'lunch'))
    await apply(directory.membership('user_added', 'ada', 'staff'), directory.membership('user_added', 'bob', 'lunch'))
    const before = await kept()
    await apply(directory.group('created', 'bosses'), directory.membership('user_added', 'ada', 'bosses'))

    expect(before).toEqual({ 'ada@example.com': ['user'], 'bob@example.com': ['viewer'] })
    expect(await kept()).toEqual({ 'ada@example.com': ['admin', 'user'], 'bob@example.com': ['viewer'] })
    expect(await refused(auth)).toHaveLength(1)
  })

  it('takes roles with the group, by its renaming and by its end', async () => {
    await link()
    await apply(directory.user('created', 'ada'), directory.group('created', 'staff'), directory.membership('user_added', 'ada', 'staff'))

    await apply(directory.group('updated', 'staff', 'former staff'))
    const renamed = await kept()
    await apply(directory.group('updated', 'staff', 'bosses'))
    const promoted = await kept()
    await apply(directory.group('deleted', 'staff'))

    expect([renamed, promoted, await kept()].map((members) => members['ada@example.com'])).toEqual([['viewer'], ['admin'], ['viewer']])
  })

  it.each([
    ['is deleted', (one: Directory) => one.user('deleted', 'ada')],
    ['is suspended', (one: Directory) => one.user('updated', 'ada', { state: 'suspended' })],
    ['is made inactive', (one: Directory) => one.user('updated', 'ada', { state: 'inactive' })],
  ])('ends membership, sessions and tokens of whoever %s', async (_name, event) => {
    await link()
    await apply(directory.user('created', 'ada'))
    const [[user] = []] = await owned(auth.db.database, `select id from auth.users where email = 'ada@example.com'`)
    await auth.db.database.engine.script(
      `insert into auth.sessions values ('sess_1', '${user}', '${acme.id}', '', '', 'workos', now(), now(), now() + interval '1 day', null)`,
    )

    await apply(event(directory))

    expect(await kept()).toEqual({})
    expect(await refused(auth)).toEqual([user])
    expect(await owned(auth.db.database, 'select id from auth.sessions where revoked_at is not null')).toEqual([['sess_1']])
    expect(await apply(directory.user('updated', 'ada'))).toEqual([true])
    expect(await kept()).toEqual({ 'ada@example.com': ['viewer'] })
  })

  it('is right about those who were invited, too, and leaves alone whom it does not list', async () => {
    await link()
    const ada = await person(auth, 'ada@example.com')
    await auth.db.database.engine.script(
      `insert into auth.members (organisation_id, user_id, roles, source, since) values ('${acme.id}', '${ada}', array['admin'], 'invite', now())`,
    )

    await apply(directory.user('created', 'ada'))
    const listed = await kept()
    await apply(directory.user('deleted', 'ada'))

    expect(listed).toEqual({ 'ada@example.com': ['viewer'] })
    expect((await operator.listMembers({ id: acme.id })).items.map(({ user }) => user.id)).toEqual([acme.founder])
  })

  it('knows its people by its own id: an address may change, and a signed-in user stays the same', async () => {
    await link()
    await apply(directory.user('created', 'ada'), directory.user('created', 'bob'))
    await auth.db.database.engine.script(`update auth.users set last_sign_in_at = now() where email = 'ada@example.com'`)

    await apply(directory.user('updated', 'ada', { email: 'countess@example.com' }), directory.user('updated', 'bob', { email: 'robert@example.com' }))

    expect(Object.keys(await kept()).toSorted()).toEqual(['ada@example.com', 'robert@example.com'])
  })

  it('gives somebody who is in it twice the roles of both, until both are gone', async () => {
    await link()
    await apply(directory.user('created', 'ada'), directory.user('created', 'ada-2', { email: 'ada@example.com' }))
    await apply(directory.group('created', 'staff'), directory.membership('user_added', 'ada', 'staff'))

    await apply(directory.user('deleted', 'ada-2', { email: 'ada@example.com' }))
    const still = await kept()
    await apply(directory.user('deleted', 'ada'))

    expect(still).toEqual({ 'ada@example.com': ['user'] })
    expect(await kept()).toEqual({})
  })

  it('that ends takes the members it kept with it, and brings them back when it is activated again', async () => {
    await link()
    await apply(directory.user('created', 'ada'))

    await apply(directory.directory('deleted'))
    const ended = await kept()
    await apply(directory.directory('activated'))

    expect(ended).toEqual({})
    expect(await kept()).toEqual({ 'ada@example.com': ['viewer'] })
    expect((await operator.listMembers({ id: acme.id })).items).toHaveLength(2)
  })

  it('that nobody has linked is remembered, and applied when somebody does', async () => {
    const outcomes = await apply(directory.user('created', 'ada'), directory.group('created', 'staff'), directory.membership('user_added', 'ada', 'staff'))

    await link()

    expect(outcomes).toEqual([false, false, false])
    expect(await kept()).toEqual({ 'ada@example.com': ['user'] })
  })

  it('makes no user of somebody without an address', async () => {
    await link()

    await apply(directory.user('created', 'ada', { email: null }), directory.user('created', 'bob', { email: 'no address' }))

    expect(await kept()).toEqual({})
    expect(await owned(auth.db.database, 'select count(*) from auth.users')).toEqual([['1']])
  })

  it('never leaves the platform’s own organisation without an admin', async () => {
    await operator.linkDirectory({ id: 'default', directory: directory.id, groupRoles: { bosses: 'admin' }, defaultRole: 'viewer' })
    await apply(directory.user('created', 'ada'), directory.group('created', 'bosses'), directory.membership('user_added', 'ada', 'bosses'))

    await apply(directory.membership('user_removed', 'ada', 'bosses'), directory.user('deleted', 'ada'))

    expect((await operator.listMembers({ id: 'default' })).items).toMatchObject([
      { user: { email: 'ada@example.com' }, roles: expect.arrayContaining(['admin']) as unknown },
    ])
  })

  it('tells the audit log of memberships that begin, change and end', async () => {
    await link()
    await apply(
      directory.user('created', 'ada'),
      directory.group('created', 'staff'),
      directory.membership('user_added', 'ada', 'staff'),
      directory.user('deleted', 'ada'),
    )

    expect(await audited(auth)).toEqual(['auth.createOrganisation', 'auth.linkDirectory', ...Array.from({ length: 3 }, () => 'auth.applyDirectoryEvent')])
    expect(await operator.verifyAudit({})).toMatchObject({ valid: true })
  })
})

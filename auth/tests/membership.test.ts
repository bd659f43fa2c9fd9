import { batch } from '@dot-do/worker-data/database'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { founding, joining, membershipsOf, type Joined } from '../src/organisations/membership.ts'
import { slugOf } from '../src/organisations/slug.ts'
import { startAuth, type AuthInProcess } from './in-process.ts'
import { audited, organisation, ownCall, person } from './people.ts'

let auth: AuthInProcess

beforeAll(async () => {
  auth = await startAuth()
})
beforeEach(() => auth.db.database.reset())
afterAll(() => auth.db.close())

const AT = new Date('2026-11-21T12:00:00Z')

async function commitJoined({ membership, statements }: Joined) {
  if (statements.length > 0) await batch(ownCall(auth), statements)
  return membership
}

describe('a first sign-in', () => {
  it('founds an organisation with a slug nobody can guess, whose admin the user is', async () => {
    const userId = await person(auth)

    const membership = await commitJoined(founding({ userId, name: 'ada.lovelace@example.com' }, AT))

    expect(membership.organisation.slug).toMatch(/^ada-lovelace-[0-9a-z]{6}$/)
    expect(membership).toMatchObject({ roles: ['admin'], permissions: expect.arrayContaining(['members:write']) as unknown })
    expect(await membershipsOf(userId, ownCall(auth))).toEqual([membership])
  })

  it('under a provider’s organisation founds that one, and others join it as users', async () => {
    const [first, second] = [await person(auth), await person(auth)]
    const join = async (userId: string) => commitJoined(await joining({ providerOrganisation: 'org_workos', userId, name: 'Acme' }, ownCall(auth), AT))

    const founder = await join(first)
    const joined = await join(second)
    const again = await join(second)

    expect(founder).toMatchObject({ organisation: { name: 'Acme' }, roles: ['admin'] })
    expect(joined).toMatchObject({ organisation: founder.organisation, roles: ['user'] })
    expect(again).toEqual(joined)
    expect(await audited(auth)).toEqual(['auth.createOrganisation', 'auth.join'])
  })

  it('gives the first of an organisation without an admin that role', async () => {
    await auth.db.database.engine.script(
      `insert into auth.organisations (id, slug, name, created_at, provider_organisation) values ('org_made', 'made', 'Made', now(), 'org_workos')`,
    )

    expect(await joining({ providerOrganisation: 'org_workos', userId: await person(auth), name: 'Acme' }, ownCall(auth), AT)).toMatchObject({
      membership: { roles: ['admin'] },
    })
  })

  it('is refused where a directory keeps the members and does not list the user', async () => {
    const { id } = await organisation(auth)
    await auth.as('operator', ['*']).linkDirectory({ id, directory: 'directory_1', providerOrganisation: 'org_workos' })

    await expect(joining({ providerOrganisation: 'org_workos', userId: await person(auth), name: 'Acme' }, ownCall(auth), AT)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
  })
})

describe('memberships', () => {
  it('come oldest first, with all that roles and grants permit, and without organisations that have ended', async () => {
    const first = await organisation(auth, 'First')
    const { founder } = first
    const ended = await first.admin.createOrganisation({ name: 'Ended' })
    const last = await first.admin.createOrganisation({ name: 'Last' })
    await auth.as('operator', ['*']).deleteOrganisation({ id: ended.id })
    await first.admin.createRole({ name: 'press', permissions: ['events:read'] })
    await owned(
      auth.db.database,
      `update auth.members set roles = array['press', 'gone'], permissions = array['things:read'] where organisation_id = '${first.id}' returning 1`,
    )

    const memberships = await membershipsOf(founder, ownCall(auth))

    expect(memberships.map(({ organisation: { slug } }) => slug)).toEqual(['first', last.slug])
    expect(memberships[0]).toMatchObject({ roles: ['press', 'gone'], permissions: ['events:read', 'things:read'] })
  })
})

describe('a slug', () => {
  it.each([
    ['Acme & Sons, Ltd.', 'acme-sons-ltd'],
    ['  Żółw  ', 'z-o-w'],
    ['株式会社', ''],
    ['x'.repeat(80), 'x'.repeat(63)],
  ])('is what is left of a name: %s', (name, slug) => {
    expect(slugOf(name)).toBe(slug)
  })
})

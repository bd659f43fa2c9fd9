import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readDirectoryEvent } from '../src/organisations/directory-event.ts'
import { Directory, workosExamples, type Event } from './directory-events.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'
import { organisation } from './people.ts'

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

describe('an event', () => {
  it('applied again changes nothing', async () => {
    await link()
    const [created, suspended] = [directory.user('created', 'ada'), directory.user('updated', 'ada', { state: 'suspended' })]

    expect(await apply(created, created, suspended, created, suspended)).toEqual([true, false, true, false, false])
    expect(await kept()).toEqual({})
  })

  it('of one moment with another yields to the one whose id is later', async () => {
    await link()
    const [first, second] = [directory.user('created', 'ada'), directory.user('updated', 'ada', { state: 'inactive' })]
    const createdAt = first.createdAt

    await apply({ ...second, createdAt }, { ...first, createdAt })

    expect(await kept()).toEqual({})
  })

  it('in whatever order, and repeated, ends the same', async () => {
    const events = [
      directory.user('created', 'ada'),
      directory.user('created', 'bob'),
      directory.group('created', 'staff'),
      directory.membership('user_added', 'ada', 'staff'),
      directory.membership('user_added', 'bob', 'staff'),
      directory.membership('user_removed', 'bob', 'staff'),
      directory.group('updated', 'staff', 'bosses'),
      directory.user('updated', 'bob', { state: 'suspended' }),
      directory.user('updated', 'bob'),
      directory.user('created', 'eve'),
      directory.user('deleted', 'eve'),
    ]
    const order = fc
      .array(fc.nat({ max: events.length - 1 }), { maxLength: 5 })
      .chain((again) => fc.shuffledSubarray([...events.keys(), ...again.map((index) => index)], { minLength: events.length + again.length }))

    await fc.assert(
      fc.asyncProperty(order, async (indexes) => {
        await auth.db.database.reset()
        acme = await organisation(auth)
        await link()
        await apply(...indexes.flatMap((index) => events[index] ?? []))
        expect(await kept()).toEqual({ 'ada@example.com': ['admin'], 'bob@example.com': ['viewer'] })
      }),
      { numRuns: 12 },
    )
  })

  it('of every kind is read in the shape WorkOS publishes', async () => {
    const examples = await workosExamples()
    const names = [
      'activated',
      'deleted',
      'user.created',
      'user.updated',
      'user.deleted',
      'group.created',
      'group.updated',
      'group.deleted',
      'group.user_added',
      'group.user_removed',
    ]

    for (const name of names) {
      const { event = '', data } = examples.get(`dsync.${name}`) ?? {}
      const said = readDirectoryEvent(event, data)

      expect(said.directory).toMatch(/^directory_/)
      expect({ person: said.person !== undefined, group: said.group !== undefined, both: said.isMember !== undefined }).toEqual({
        person: name.includes('user'),
        group: name.startsWith('group'),
        both: name.includes('user_'),
      })
    }
    expect(readDirectoryEvent('dsync.user.created', examples.get('dsync.user.created')?.data).person).toEqual({
      id: 'directory_user_01E1JG7J09H96KYP8HM9B0G5SJ',
      email: 'marcelina.davis@example.com',
      name: 'Marcelina Davis',
      isActive: true,
    })
  })

  it.each([{}, { id: 'directory_user_1' }, { id: 'directory_user_1', directory_id: 'directory_1', state: 'asleep' }])(
    'without the shape of its name is refused: %j',
    async (data) => {
      const event = { ...directory.user('created', 'ada'), data }

      const refusal = operator.applyDirectoryEvent(event)

      const details = expect.arrayContaining([{ path: 'data.state', message: expect.any(String) as unknown }]) as unknown
      await expect(refusal).rejects.toMatchObject({ code: 'INVALID', details })
    },
  )
})

describe('a link', () => {
  it('is of one directory to one organisation, and of roles that there are', async () => {
    await link()
    const other = await organisation(auth, 'Other')

    await expect(operator.linkDirectory({ id: other.id, directory: directory.id })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: [{ path: 'directory' }],
    })
    await expect(operator.linkDirectory({ id: acme.id, directory: 'directory_2' })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: [{ path: 'directory' }],
    })
    await expect(link({ defaultRole: 'press' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'defaultRole' }] })
    await expect(link({ groupRoles: { staff: 'press' } })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'groupRoles.staff' }] })
  })

  it('of other roles brings everybody to them', async () => {
    await link()
    await apply(directory.user('created', 'ada'))

    await link({ defaultRole: 'user' })

    expect(await kept()).toEqual({ 'ada@example.com': ['user'] })
  })

  it('is for the platform’s people alone: whoever says what a directory says makes members', async () => {
    await expect(acme.admin.linkDirectory({ id: acme.id, directory: 'directory_1' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(acme.admin.applyDirectoryEvent(directory.user('created', 'ada'))).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('keeps the roles it gives from being deleted', async () => {
    await acme.admin.createRole({ name: 'press', permissions: ['things:read'] })
    await link({ groupRoles: { staff: 'press' } })

    await expect(acme.admin.deleteRole({ name: 'press' })).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})

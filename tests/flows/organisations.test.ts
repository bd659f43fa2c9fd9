import { describe, expect, inject, it } from 'vitest'
import { admin, ask, rpc, unique } from './client.ts'
import { codeFor, tokenIn, Visitor } from './visitor.ts'

const platform = inject('platform')

/** A browser in which this address has signed in. */
async function signedIn(email: string, visitor = new Visitor(), returnTo = '/docs'): Promise<{ visitor: Visitor; location: string }> {
  const page = await visitor.get(`/auth/login?${new URLSearchParams({ return_to: returnTo })}`)
  const asked = await visitor.post('/auth/login/code', { token: tokenIn(page), email })
  const { location } = await visitor.post('/auth/login', { token: tokenIn(asked), code: await codeFor(email) })
  return { visitor, location }
}

const address = () => `${unique('somebody')}@example.com`

/** Somebody with a session, as a program holds it: the access token for one organisation. */
async function person(email = address()): Promise<{ id: string; visitor: Visitor; token: () => string }> {
  const { visitor } = await signedIn(email)
  const { data } = await visitor.fetch('/auth/me')
  return { id: String((data['user'] as { id: string }).id), visitor, token: () => visitor.jar.get('__Host-session') ?? '' }
}

async function organisation(): Promise<string> {
  const slug = unique('org')
  await admin('/auth/organisations', { body: { name: slug, slug } })
  return slug
}

/** Makes somebody a member by an invite that they accept. */
async function join(slug: string, role: string): Promise<{ id: string; visitor: Visitor; token: () => string }> {
  const email = address()
  const someone = await person(email)
  const { data } = await admin(`/auth/organisations/${slug}/invites`, { body: { email, role } })
  const accepted = await ask('/auth/invites/accept', { key: someone.token(), body: { token: data['token'] } })
  expect(accepted.status).toBe(200)
  const switched = await someone.visitor.post(`/auth/session/refresh?organization=${slug}`)
  expect(switched.status).toBe(200)
  return someone
}

describe('somebody who is invited', () => {
  it('opens the link, signs in, presses the button, and is a member', async () => {
    const slug = await organisation()
    const email = address()
    await admin(`/auth/organisations/${slug}/invites`, { body: { email, role: 'viewer' } })
    const mails = (await (await fetch(`${platform.mailboxUrl.replace('localhost', '127.0.0.1')}/mails`)).json()) as { to: string[]; text: string }[]
    const link = /\S+\/invites\/accept\?token=[\w-]+/.exec(mails.find(({ to }) => to.includes(email))?.text ?? '')?.[0] ?? ''
    const visitor = new Visitor()

    const sentAway = await visitor.get(link)
    const { location } = await signedIn(email, visitor, new URL(sentAway.location, platform.url).searchParams.get('return_to') ?? '')
    const page = await visitor.get(location)
    const before = await visitor.fetch(`/auth/organisations/${slug}`)
    const joined = await visitor.post('/auth/invites/confirm', { token: tokenIn(page) })

    expect(sentAway).toMatchObject({ status: 303, location: expect.stringMatching(/^\/auth\/login\?return_to=/) as unknown })
    expect(location).toBe(link)
    expect(page).toMatchObject({ status: 200, headers: { 'referrer-policy': 'same-origin', 'cache-control': 'no-store' } })
    expect(before.status).toBe(404)
    expect(joined.text).toContain(`You are a member of ${slug}`)
    expect((await visitor.fetch(`/auth/organisations/${slug}`)).data).toMatchObject({ slug })
    expect((await visitor.get(link)).text).toContain('This invite was accepted already')
  })

  it('cannot be made to join by a foreign page', async () => {
    const slug = await organisation()
    const email = address()
    const { data } = await admin(`/auth/organisations/${slug}/invites`, { body: { email } })
    const { visitor } = await signedIn(email)
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }

    const posted = await visitor.post('/auth/invites/confirm', { token: String(data['token']) }, foreign)

    expect(posted.status).toBeGreaterThanOrEqual(401)
    expect((await visitor.fetch(`/auth/organisations/${slug}`)).status).toBe(404)
  })

  it('is of no help to somebody else who has the link', async () => {
    const slug = await organisation()
    const { data } = await admin(`/auth/organisations/${slug}/invites`, { body: { email: address() } })
    const { visitor } = await signedIn(address())

    const refused = await visitor.post('/auth/invites/confirm', { token: String(data['token']) })

    expect(refused.status).toBe(403)
    expect(refused.text).toContain('another address')
  })
})

describe('an organisation over HTTP', () => {
  it('is founded by somebody who signed in, who runs it by roles and grants', async () => {
    const founder = await person()
    const slug = unique('mine')
    const founded = await ask('/auth/organisations', { key: founder.token(), body: { name: 'Mine', slug } })
    await founder.visitor.post(`/auth/session/refresh?organization=${slug}`)
    const key = founder.token()
    const of = (path: string, asked: object = {}) => ask(path, { key, ...asked })
    const other = await join(slug, 'viewer')

    const outcomes = [
      await of('/auth/roles', { body: { name: 'press', permissions: ['events:read'] } }),
      await of('/auth/roles/press', { method: 'PUT', body: { permissions: ['events:read', 'things:read'] } }),
      await of('/auth/roles/press/members', { body: { user: other.id } }),
      await of(`/auth/members/${other.id}/permissions`, { body: { permission: 'keys:read' } }),
      await of(`/auth/organisations/${slug}/members`),
      await of(`/auth/roles/press/members/${other.id}`, { method: 'DELETE' }),
      await of(`/auth/members/${other.id}/permissions?permission=keys:read`, { method: 'DELETE' }),
      await of('/auth/roles'),
      await of('/auth/roles/press', { method: 'DELETE' }),
      await of(`/auth/organisations/${slug}`, { method: 'PATCH', body: { name: 'Ours' } }),
      await of(`/auth/organisations/${slug}/members/${other.id}`, { method: 'DELETE' }),
      await of(`/auth/organisations/${slug}/members/${founder.id}`, { method: 'DELETE' }),
    ]

    expect(founded.status).toBe(201)
    expect(outcomes.map(({ status }) => status)).toEqual([201, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 409])
    expect(outcomes[4]?.data['items']).toMatchObject([
      { user: { id: founder.id }, roles: ['admin'] },
      { user: { id: other.id }, roles: ['viewer', 'press'], permissions: ['keys:read'] },
    ])
    expect((await of('/auth/waitlist')).status).not.toBe(200)
  })

  it('ends what a member had within seconds of the removal, and the member cannot get it back', async () => {
    const slug = await organisation()
    const member = await join(slug, 'user')
    const token = member.token()
    const list = () => ask('/db/things', { key: token })
    const before = await list()

    await admin(`/auth/organisations/${slug}/members/${member.id}`, { method: 'DELETE' })

    expect(before.status).toBe(200)
    await expect.poll(async () => (await list()).status, { timeout: 30_000, interval: 250 }).toBe(401)
    expect((await member.visitor.post(`/auth/session/refresh?organization=${slug}`)).status).toBeGreaterThanOrEqual(400)
  })

  it('keeps one of two admins who remove each other at once', async () => {
    for (let round = 0; round < 3; round++) {
      const slug = await organisation()
      const [one, other] = [await join(slug, 'admin'), await join(slug, 'admin')]
      const remove = (by: typeof one, whom: typeof one) => ask(`/auth/organisations/${slug}/members/${whom.id}`, { key: by.token(), method: 'DELETE' })

      const outcomes = await Promise.all([remove(one, other), remove(other, one)])

      // The other is refused for being the last, or already for the token.
      expect(outcomes.filter(({ status }) => status === 200)).toHaveLength(1)
      expect((await admin(`/auth/organisations/${slug}/members`)).data['items']).toHaveLength(1)
    }
  })

  it('gives its admin the own tenant’s things and workers, and nobody else’s', async () => {
    const [slug, other] = [await organisation(), await organisation()]
    const boss = await join(slug, 'admin')
    const can = async (query: string) => (await ask(`/auth/can?${query}`, { key: boss.token() })).data

    expect(await can('permission=things:write')).toMatchObject({ allowed: true, reason: `${boss.id} has things:write by the role admin in ${slug}` })
    expect(await can(`permission=deployments:create&resource=hello/production/${slug}`)).toMatchObject({ allowed: true })
    expect(await can(`permission=deployments:create&resource=hello/production/${other}`)).toMatchObject({ allowed: false })
    expect((await ask(`/auth/organisations/${other}/members`, { key: boss.token() })).status).toBe(404)
    expect((await ask(`/auth/organisations/${other}`, { key: boss.token() })).status).toBe(404)
  })
})

describe('a directory', () => {
  it('is applied from auth’s queue, with the authority of whoever put it there', async () => {
    const slug = await organisation()
    const directory = unique('directory')
    const email = address()
    const data = { id: unique('directory_user'), directory_id: directory, email, first_name: 'Ada', last_name: null, state: 'active' }
    const input = { id: unique('event'), event: 'dsync.user.created', createdAt: '2026-11-21T12:00:00.000Z', data }
    const message = (permissions: string[], id: string) => ({
      id,
      operation: 'applyDirectoryEvent',
      input,
      principal: { id: 'webhooks', kind: 'service', tenant: 'default', permissions },
    })
    await admin(`/auth/organisations/${slug}/directory`, { method: 'PUT', body: { directory } })

    await rpc('AUTH_QUEUE', 'send', message(['directories:write'], unique('msg')))

    const members = async () => (await admin(`/auth/organisations/${slug}/members`)).data['items'] as unknown as unknown[]
    await expect.poll(members, { timeout: 30_000, interval: 250 }).toMatchObject([{ user: { email }, roles: ['user'], source: 'directory' }])
    expect((await rpc('AUTH_POWERLESS', 'applyDirectoryEvent', input)).error).toMatchObject({ code: 'FORBIDDEN' })
    expect((await rpc('AUTH_ADMIN', 'applyDirectoryEvent', input)).value).toMatchObject({ applied: false })
  })
})

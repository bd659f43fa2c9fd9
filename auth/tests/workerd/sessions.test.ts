import { testCall } from '@dot-do/worker-kernel/testing'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { as, audited, claimsOf, isRefused, newAddress, principalOf, refresh, refusalOf, signIn, sql, type Tokens } from './people.ts'

const { AUTH } = env

/** A key of somebody's tenant. */
const keyOf = ({ organisation }: Pick<Tokens, 'organisation'>, ...permissions: string[]) => ({
  onBehalfOf: { ...testCall({ env }).principal, tenant: organisation.slug, permissions },
})

/** The same user on several devices, the first signed in first. */
async function onDevices(...devices: string[]): Promise<Tokens[]> {
  const email = newAddress()
  const all: Tokens[] = []
  for (const device of devices) all.push(await signIn(email, { device }))
  return all
}

const ended = (tokens: Tokens) => refusalOf(() => refresh(tokens))
const isOut = (tokens: Tokens, subject = tokens.session.id) => isRefused(subject, claimsOf(tokens.accessToken).iat)

describe('the list of sessions', () => {
  it('shows one’s own devices, last used first, and which of them asks', async () => {
    const [phone, laptop] = (await onDevices('Phone', 'Laptop')) as [Tokens, Tokens]
    await refresh(phone)

    const { items } = await AUTH.listSessions({}, as(laptop))

    expect(items.map(({ device, current }) => ({ device, current }))).toEqual([
      { device: 'Phone', current: false },
      { device: 'Laptop', current: true },
    ])
  })

  it('comes page by page, each session once', async () => {
    const [first] = (await onDevices('1', '2', '3')) as [Tokens]
    await sql('update auth.sessions set last_used_at = created_at where user_id = $1', first.user.id)

    const page = await AUTH.listSessions({ limit: 2 }, as(first))
    const rest = await AUTH.listSessions({ limit: 2, cursor: page.nextCursor ?? '' }, as(first))

    expect([...page.items, ...rest.items].map(({ device }) => device)).toEqual(['3', '2', '1'])
    expect(rest.nextCursor).toBeNull()
  })

  it('leaves out what has ended, unless asked for it', async () => {
    const [phone, laptop, old] = (await onDevices('Phone', 'Laptop', 'Old')) as [Tokens, Tokens, Tokens]
    await AUTH.revokeSession({ id: phone.session.id }, as(laptop))
    await sql('update auth.sessions set expires_at = now() where id = $1', old.session.id)

    const listed = async (includeRevoked: boolean) => (await AUTH.listSessions({ includeRevoked }, as(laptop))).items.map(({ device }) => device).toSorted()

    expect([await listed(false), await listed(true)]).toEqual([['Laptop'], ['Laptop', 'Old', 'Phone']])
  })

  it('of another user is for whoever may read sessions, in their own tenant; with * in any', async () => {
    const theirs = await signIn()
    const user = theirs.user.id

    await expect(async () => AUTH.listSessions({ user }, keyOf(theirs, 'things:read'))).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect((await AUTH.listSessions({ user }, keyOf(await signIn(), 'sessions:read'))).items).toEqual([])
    expect((await AUTH.listSessions({ user }, keyOf(theirs, 'sessions:read'))).items).toMatchObject([{ id: theirs.session.id, current: false }])
    expect((await AUTH.listSessions({ user }, keyOf(await signIn(), '*'))).items).toHaveLength(1)
  })

  it('refuses a cursor of another list', async () => {
    await expect(async () => AUTH.listSessions({ cursor: 'bm90aGluZw' }, as(await signIn()))).rejects.toMatchObject({
      code: 'INVALID',
      details: [{ path: 'cursor' }],
    })
  })
})

describe('a device that is signed out', () => {
  it('cannot refresh; its access token lives on, unless strict', async () => {
    const [phone, laptop] = (await onDevices('Phone', 'Laptop')) as [Tokens, Tokens]

    const mild = await AUTH.revokeSession({ id: phone.session.id }, as(laptop))
    const livesOn = !(await isOut(phone))
    const strict = await AUTH.revokeSession({ id: phone.session.id, strict: true }, as(laptop))

    expect(await ended(phone)).toBe('UNAUTHENTICATED')
    expect(livesOn).toBe(true)
    expect(await isOut(phone)).toBe(true)
    expect(strict.revokedAt).toBe(mild.revokedAt)
    expect(await audited(phone.session.id)).toEqual(['auth.revokeSession', 'auth.revokeSession', 'auth.signIn'])
    await expect(refresh(laptop)).resolves.toMatchObject({ session: { current: true } })
  })

  it('is told once, however often it is signed out', async () => {
    const tokens = await signIn()
    for (let count = 0; count < 3; count++) await AUTH.revokeSession({ id: tokens.session.id }, as(tokens))

    expect(await audited(tokens.session.id)).toEqual(['auth.revokeSession', 'auth.signIn'])
  })

  it('is not another’s, except for whoever may write sessions of that tenant, or everything', async () => {
    const theirs = await signIn()
    const { id } = theirs.session
    const stranger = await signIn()

    const outcomes = [
      await refusalOf(() => AUTH.revokeSession({ id }, as(stranger))),
      await refusalOf(() => AUTH.revokeSession({ id }, keyOf(stranger, 'sessions:write'))),
      await refusalOf(() => AUTH.revokeSession({ id }, keyOf(theirs, 'sessions:read'))),
    ]
    const before = await refresh(theirs)
    await AUTH.revokeSession({ id }, keyOf(theirs, 'sessions:write'))

    expect(outcomes).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'])
    expect(await ended(before)).toBe('UNAUTHENTICATED')
  })
})

describe('a logout', () => {
  it('ends the session that asks, and refuses its access token', async () => {
    const [phone, laptop] = (await onDevices('Phone', 'Laptop')) as [Tokens, Tokens]

    expect(await AUTH.logout({}, as(phone))).toEqual({ session: phone.session.id })

    expect([await ended(phone), await isOut(phone), await isOut(laptop)]).toEqual(['UNAUTHENTICATED', true, false])
    expect(await audited(phone.session.id)).toEqual(['auth.logout', 'auth.signIn'])
  })

  it('is not for keys', async () => {
    expect(await refusalOf(async () => AUTH.logout({}, keyOf(await signIn(), '*')))).toBe('FORBIDDEN')
  })

  it('everywhere ends every session and refuses every access token, those of a sign-in afterwards not', async () => {
    const [phone, laptop] = (await onDevices('Phone', 'Laptop')) as [Tokens, Tokens]
    const { id, email } = phone.user

    expect(await AUTH.logoutEverywhere({}, as(laptop))).toEqual({ sessions: 2 })
    const again = await signIn(email)

    expect([await ended(phone), await ended(laptop)]).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED'])
    expect([await isOut(phone, id), await isOut(laptop, id), await isOut(again, id)]).toEqual([true, true, false])
    expect(await audited(id)).toEqual(['auth.logoutEverywhere'])
  })

  it('everywhere by an admin of one organisation leaves the user’s other memberships alone', async () => {
    const email = newAddress()
    const [own, admins] = [await signIn(email), await signIn()]
    await sql(
      `insert into auth.members (organisation_id, user_id, roles, source, since) values ($1, $2, '{user}', 'invite', now())`,
      admins.organisation.id,
      own.user.id,
    )
    const there = await signIn(email, { organisation: admins.organisation.id })

    const { sessions } = await AUTH.logoutEverywhere({ user: own.user.id }, keyOf(admins, 'sessions:write'))

    expect(sessions).toBe(1)
    expect([await ended(there), await isOut(there)]).toEqual(['UNAUTHENTICATED', true])
    expect([await isOut(own), await isOut(own, own.user.id)]).toEqual([false, false])
    await expect(refresh(own)).resolves.toMatchObject({ user: { id: own.user.id } })
  })

  it('everywhere by whoever is no user needs to be told which', async () => {
    expect(await refusalOf(async () => AUTH.logoutEverywhere({}, keyOf(await signIn(), '*')))).toBe('INVALID')
  })

  it('everywhere of another user is refused without the permission, and ends nothing in organisations that the asker is not of', async () => {
    const [mine, theirs] = [await signIn(), await signIn()]
    const user = theirs.user.id

    const refused = await refusalOf(() => AUTH.logoutEverywhere({ user }, keyOf(theirs, 'sessions:read')))

    expect(refused).toBe('FORBIDDEN')
    expect(await AUTH.logoutEverywhere({ user }, as(mine))).toEqual({ sessions: 0 })
    expect([await isOut(theirs), await isOut(theirs, user)]).toEqual([false, false])
    await expect(refresh(theirs)).resolves.toMatchObject({ user: { id: user } })
  })
})

describe('who asks who they are', () => {
  it('is told user, organisation, session and rights', async () => {
    const tokens = await signIn()

    expect(await AUTH.getMe({}, as(tokens))).toMatchObject({
      principal: principalOf(tokens),
      user: { id: tokens.user.id },
      organisation: tokens.organisation,
      session: { id: tokens.session.id, current: true },
    })
  })

  it('with a key is told that it is no user', async () => {
    const tokens = await signIn()

    expect(await AUTH.getMe({}, keyOf(tokens, 'things:read'))).toMatchObject({ user: null, session: null, organisation: { id: tokens.organisation.id } })
  })
})

describe('the audit log', () => {
  it('still follows from entry to entry, and holds no token', async () => {
    const tokens = await signIn()
    const after = await refresh(tokens)
    await AUTH.revokeSession({ id: tokens.session.id, strict: true })

    const rows = await sql('select a::text from auth.audit a union all select s::text from auth.sessions s')

    for (const secret of [tokens.accessToken, tokens.refreshToken, after.accessToken, after.refreshToken].map((token) => token.slice(-30)))
      expect(rows.flat().some((row) => String(row).includes(secret))).toBe(false)
    expect((await AUTH.verifyAudit({})).valid).toBe(true)
  })
})

import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { audited, claimsOf, isRefused, newAddress, refresh, refusalOf, signIn, sql, type Tokens } from './people.ts'

const { AUTH, AUTH_STRANGER, RefreshFamilies } = env

/** Refreshes so often that the first token is no longer among those whose answers are kept: as if it were spent long ago. */
async function refreshOften(tokens: Tokens): Promise<Tokens> {
  let newest = tokens
  for (let count = 0; count < 21; count++) newest = await refresh(newest)
  return newest
}

const ENDED = 'UNAUTHENTICATED'

describe('a refresh', () => {
  it('gives new tokens of the same session, and notes its use', async () => {
    const before = await signIn()

    const after = await refresh(before)

    expect(after.session).toMatchObject({ id: before.session.id, createdAt: before.session.createdAt, expiresAt: before.session.expiresAt, current: true })
    expect(Date.parse(after.session.lastUsedAt)).toBeGreaterThanOrEqual(Date.parse(before.session.lastUsedAt))
    expect([after.refreshToken, after.accessToken]).not.toContain(before.refreshToken)
    expect(claimsOf(after.accessToken).jti).not.toBe(claimsOf(before.accessToken).jti)
  })

  it('dates the access token by when rights were looked up, so that a logout which overtakes it reaches it', async () => {
    const { accessToken, session } = await refresh(await signIn())

    expect(Math.round(claimsOf(accessToken).iat * 1000)).toBe(Date.parse(session.lastUsedAt))
  })

  it('looks rights up anew', async () => {
    const before = await signIn()
    await sql(`update auth.members set roles = '{viewer}' where user_id = $1`, before.user.id)

    expect(claimsOf((await refresh(before)).accessToken).permissions).toEqual(['things:read', 'jobs:read', 'tasks:read'])
  })

  it('by twenty at once with the same token gives all of them one answer, byte for byte', async () => {
    const tokens = await signIn()

    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(tokens)))

    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    await expect(refresh(answers[0] ?? tokens)).resolves.toMatchObject({ session: { id: tokens.session.id } })
  })

  it('with a spent token gives the same answer also after the next token was spent', async () => {
    const first = await signIn()
    const second = await refresh(first)
    await refresh(second)

    expect(await refresh(first)).toEqual(second)
  })

  it('with a token that was spent before ends the session for thief and owner, refuses its access tokens, and is told', async () => {
    const stolen = await signIn()
    const owners = await refreshOften(stolen)

    const outcomes = [await refusalOf(() => refresh(stolen)), await refusalOf(() => refresh(owners)), await refusalOf(() => refresh(stolen))]

    expect(outcomes).toEqual([ENDED, ENDED, ENDED])
    expect(await sql('select revoked_at is not null from auth.sessions where id = $1', stolen.session.id)).toEqual([[true]])
    expect(await isRefused(stolen.session.id, claimsOf(owners.accessToken).iat)).toBe(true)
    expect(await audited(stolen.session.id)).toEqual(['auth.refuseReusedToken', 'auth.signIn'])
    expect((await AUTH.verifyAudit({})).valid).toBe(true)
  })

  it('leaves the other sessions of the user alone when one is stolen', async () => {
    const email = newAddress()
    const [stolen, other] = [await signIn(email), await signIn(email)]
    await refreshOften(stolen)
    await refusalOf(() => refresh(stolen))

    await expect(refresh(other)).resolves.toMatchObject({ session: { id: other.session.id } })
  })

  it('ends the session also if it could not be ended when the theft was noticed', async () => {
    const tokens = await signIn()
    const family = RefreshFamilies.getByName(tokens.session.id)
    await family.rotate({ presented: 'spent long ago', next: 'x', answer: '', atMs: Date.now() })

    expect(await refusalOf(() => refresh(tokens))).toBe(ENDED)
    expect(await audited(tokens.session.id)).toEqual(['auth.refuseReusedToken', 'auth.signIn'])
  })

  it.each([
    ['of another session', (mine: Tokens, theirs: Tokens) => mine.refreshToken.slice(0, 30) + theirs.refreshToken.slice(30)],
    ['with a changed secret', (mine: Tokens) => mine.refreshToken.slice(0, 40) + 'AAAA' + mine.refreshToken.slice(44)],
    ['with a changed checksum', (mine: Tokens) => mine.refreshToken.slice(0, -6) + 'AAAAAA'],
    ['a character short', (mine: Tokens) => mine.refreshToken.slice(0, -1)],
    ['that is an access token’s beginning', (mine: Tokens) => mine.accessToken.slice(0, 200)],
    ['that is nothing', () => ''],
  ])('is refused for a token %s, which harms nobody', async (_name, forge) => {
    const [mine, theirs] = [await signIn(), await signIn()]

    expect(await refusalOf(() => AUTH_STRANGER.refreshSession({ refreshToken: forge(mine, theirs) }))).toBe(ENDED)
    await expect(Promise.all([refresh(mine), refresh(theirs)])).resolves.toHaveLength(2)
  })

  it.each([
    ['whose time is over', `update auth.sessions set expires_at = now() where id = $1`, 'session'],
    ['that was revoked', `update auth.sessions set revoked_at = now() where id = $1`, 'session'],
    ['that is not there', `delete from auth.sessions where id = $1`, 'session'],
    ['whose user was disabled', `update auth.users set disabled_at = now() where id = $1`, 'user'],
    ['whose membership has ended', `delete from auth.members where user_id = $1`, 'user'],
    ['whose organisation has ended', `update auth.organisations set deleted_at = now() where id = $1`, 'organisation'],
  ] as const)('is refused for a session %s, within the grace too', async (_name, change, what) => {
    const spent = await signIn()
    const tokens = await refresh(spent)
    await sql(change, tokens[what].id)

    expect([await refusalOf(() => refresh(tokens)), await refusalOf(() => refresh(spent))]).toEqual([ENDED, ENDED])
  })

  it('may go on as a member of another organisation, and stays there', async () => {
    const [mine, theirs] = [await signIn(), await signIn()]
    await sql(
      `insert into auth.members (organisation_id, user_id, roles, source, since) values ($1, $2, '{viewer}', 'invite', now())`,
      theirs.organisation.id,
      mine.user.id,
    )

    const there = await refresh(mine, theirs.organisation.slug)
    const still = await refresh(there)

    expect(there.session.organisation).toBe(theirs.organisation.id)
    expect(claimsOf(still.accessToken)).toMatchObject({ tenant: theirs.organisation.slug, permissions: ['things:read', 'jobs:read', 'tasks:read'] })
  })

  it('as a member of an organisation that one is none of spends nothing', async () => {
    const [mine, theirs] = [await signIn(), await signIn()]

    expect(await refusalOf(() => refresh(mine, theirs.organisation.id))).toBe('NOT_FOUND')
    await expect(refresh(mine)).resolves.toMatchObject({ organisation: { id: mine.organisation.id } })
  })
})

describe('a family on disk', () => {
  const wish = (presented: string, next: string, atMs: number) => ({ presented, next, answer: `sealed for ${presented}`, atMs })

  it('decides one after another, so that of many different wishes for one token a single one comes true', async () => {
    const family = RefreshFamilies.getByName(crypto.randomUUID())
    const now = Date.now()
    await family.begin('a', now + 60_000)

    const turns = await Promise.all(Array.from({ length: 20 }, (_, index) => family.rotate({ ...wish('a', `b${index}`, now), answer: `answer ${index}` })))

    expect(turns.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1)
    expect(new Set(turns.flatMap((turn) => ('answer' in turn ? [turn.answer] : []))).size).toBe(1)
  })

  it.each([
    ['within ten seconds', 9_999, { outcome: 'repeated', answer: 'sealed for a' }],
    ['after ten seconds', 10_000, { outcome: 'reused' }],
    ['after its end', 60_000, { outcome: 'ended' }],
  ])('answers a spent token %s', async (_name, laterMs, expected) => {
    const family = RefreshFamilies.getByName(crypto.randomUUID())
    const now = Date.now()
    await family.begin('a', now + 60_000)
    await family.rotate(wish('a', 'b', now))

    expect(await family.rotate(wish('a', 'c', now + laterMs))).toEqual(expected)
  })

  it('begins once', async () => {
    const family = RefreshFamilies.getByName(crypto.randomUUID())
    await family.begin('a', Date.now() + 60_000)

    await expect(async () => family.begin('b', Date.now() + 60_000)).rejects.toThrow('already')
    expect(await family.rotate(wish('a', 'c', Date.now()))).toEqual({ outcome: 'rotated' })
  })

  it('that never began takes nothing', async () => {
    expect(await RefreshFamilies.getByName(crypto.randomUUID()).rotate(wish('a', 'b', Date.now()))).toEqual({ outcome: 'ended' })
  })
})

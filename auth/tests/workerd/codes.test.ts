import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { askForCode, audited, claimsOf, codeFor, newAddress, refusalOf, signIn, sql } from './people.ts'

const { AUTH, AUTH_INVITED, AUTH_STRANGER, MAILBOX, SignInGuards } = env

const wrongFor = (code: string) => (code.startsWith('0') ? '1' : '0') + code.slice(1)

describe('a sign-in by code', () => {
  it('makes a stranger a user with an organisation of their own, where they may do what its admin may, but not everything', async () => {
    const email = newAddress()

    const { user, organisation, session, tokenType, expiresIn, accessToken } = await signIn(email.toUpperCase(), { device: 'Test browser' })
    const { sub, tenant, sid, permissions } = claimsOf(accessToken)

    expect(user).toMatchObject({ email, disabledAt: null })
    expect(session).toMatchObject({ user: user.id, organisation: organisation.id, provider: 'code', device: 'Test browser', current: true, revokedAt: null })
    expect(Date.parse(session.expiresAt) - Date.parse(session.createdAt)).toBe(30 * 86_400_000)
    expect({ sub, tenant, sid }).toEqual({ sub: user.id, tenant: organisation.slug, sid: session.id })
    expect(permissions).toContain('members:write')
    expect(permissions).not.toContain('*')
    expect({ tokenType, expiresIn }).toEqual({ tokenType: 'Bearer', expiresIn: 3600 })
    expect(await audited(session.id)).toEqual(['auth.signIn'])
  })

  it('finds the same user again, in the organisation of the last session, under a session of a new id', async () => {
    const email = newAddress()
    const first = await signIn(email)

    const second = await signIn(email)

    expect(second).toMatchObject({ user: { id: first.user.id }, organisation: { id: first.organisation.id } })
    expect(second.session.id).not.toBe(first.session.id)
    expect(second.refreshToken).not.toBe(first.refreshToken)
  })

  it('takes a code once, however many send it at the same moment', async () => {
    const email = newAddress()
    const code = await askForCode(email)

    const outcomes = await Promise.all(Array.from({ length: 8 }, () => refusalOf(() => AUTH_STRANGER.signIn({ email, code }))))

    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 7 }, () => 'UNAUTHENTICATED'), 'an answer'])
  })

  it('takes no code but the newest, and none of another address', async () => {
    const [email, other] = [newAddress(), newAddress()]
    const replaced = await askForCode(email)
    const code = await askForCode(email)

    const outcomes = [
      await refusalOf(() => AUTH_STRANGER.signIn({ email, code: replaced })),
      await refusalOf(() => AUTH_STRANGER.signIn({ email: other, code })),
      await refusalOf(() => AUTH_STRANGER.signIn({ email, code: code.slice(0, 7) })),
      await refusalOf(() => AUTH_STRANGER.signIn({ email, code: '' })),
      await refusalOf(() => AUTH_STRANGER.signIn({ email, code: ` ${code.slice(0, 4)} ${code.slice(4)} ` })),
    ]

    expect(outcomes).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED', 'an answer'])
  })

  it('into an organisation that one is no member of is refused, as if it were not there', async () => {
    const { organisation } = await signIn()

    await expect(async () => signIn(newAddress(), { organisation: organisation.slug })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('an address', () => {
  it('is told the same whether or not somebody is known by it', async () => {
    const known = newAddress()
    await signIn(known)

    const answers = await Promise.all([known, newAddress()].map((email) => AUTH_STRANGER.sendCode({ email })))

    expect(answers).toEqual([
      { sent: true, expiresInSeconds: 600 },
      { sent: true, expiresInSeconds: 600 },
    ])
  })

  it('is sent five codes and no more, with the same answer', async () => {
    const email = newAddress()

    const answers = await Promise.all(Array.from({ length: 8 }, () => AUTH_STRANGER.sendCode({ email })))

    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(await MAILBOX.to(email)).toHaveLength(5)
    await expect(AUTH_STRANGER.signIn({ email, code: await codeFor(email) })).resolves.toMatchObject({ user: { email } })
  })

  it('is locked by ten wrong codes, sent at once or across codes: the right one is refused, and told until when', async () => {
    const email = newAddress()
    const first = await askForCode(email)
    const wrong = Array.from({ length: 5 }, () => refusalOf(() => AUTH_STRANGER.signIn({ email, code: wrongFor(first) })))
    const before = await Promise.all(wrong)
    const code = await askForCode(email)

    const after = await Promise.all(Array.from({ length: 7 }, () => refusalOf(() => AUTH_STRANGER.signIn({ email, code: wrongFor(code) }))))

    expect([...before, ...after].toSorted()).toEqual([
      ...Array.from({ length: 2 }, () => 'RATE_LIMITED'),
      ...Array.from({ length: 10 }, () => 'UNAUTHENTICATED'),
    ])
    await expect(async () => AUTH_STRANGER.signIn({ email, code })).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      message: expect.stringMatching(/until 20\d\d-/) as string,
    })
    expect(await audited(email)).toEqual(['auth.lockSignIn'])
  })

  it('is not locked for others', async () => {
    const locked = newAddress()
    const code = await askForCode(locked)
    await Promise.all(Array.from({ length: 10 }, () => refusalOf(() => AUTH_STRANGER.signIn({ email: locked, code: wrongFor(code) }))))

    await expect(signIn()).resolves.toMatchObject({ tokenType: 'Bearer' })
  })

  it('is in no name of an object, and no code in any table or entry', async () => {
    const email = newAddress()
    const code = await askForCode(email)
    await AUTH_STRANGER.signIn({ email, code })

    const rows = await sql('select a::text from auth.audit a union all select s::text from auth.sessions s union all select i::text from auth.identities i')

    expect(rows.flat().some((row) => String(row).includes(code))).toBe(false)
    expect(await SignInGuards.getByName(email).redeem('x', Date.now())).toEqual({ outcome: 'wrong', locks: false })
    expect((await AUTH.verifyAudit({})).valid).toBe(true)
  })
})

describe('the guard of an address', () => {
  it('counts failures that come at the same moment one after another, and opens when the lock has passed', async () => {
    const guard = SignInGuards.getByName(crypto.randomUUID())
    const now = Date.now()
    await guard.issue('code', now)

    const verdicts = await Promise.all(Array.from({ length: 20 }, () => guard.redeem('wrong', now)))
    const locked = await guard.redeem('code', now + 899_999)
    await guard.issue('next', now + 900_000)

    expect(verdicts.filter(({ outcome }) => outcome === 'wrong')).toHaveLength(10)
    expect(locked).toEqual({ outcome: 'locked', untilMs: now + 900_000 })
    expect(await guard.redeem('next', now + 900_000)).toEqual({ outcome: 'right' })
  })
})

describe('where only invited people sign up', () => {
  const strangersCode = async (email: string) => {
    await AUTH_INVITED.sendCode({ email })
    return codeFor(email)
  }

  it('a stranger is refused and told of the waitlist, and no user is made', async () => {
    const email = newAddress()
    const code = await strangersCode(email)

    await expect(async () => AUTH_INVITED.signIn({ email, code })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('waitlist') as string,
    })
    expect(await sql('select id from auth.users where email = $1', email)).toEqual([])
  })

  it('whoever is invited to that address comes in, until the invite expires', async () => {
    const { organisation } = await signIn()
    const invited = newAddress()
    const late = newAddress()
    for (const [email, days] of [
      [invited, 7],
      [late, -1],
    ] as const) {
      await sql(
        `insert into auth.invites (id, organisation_id, email, role, token_hash, created_at, created_by, expires_at)
         values ($1, $2, $3, 'user', $1, now(), 'test', now() + $4::integer * interval '1 day')`,
        crypto.randomUUID(),
        organisation.id,
        email,
        days,
      )
    }

    await expect(AUTH_INVITED.signIn({ email: invited, code: await strangersCode(invited) })).resolves.toMatchObject({ user: { email: invited } })
    const code = await strangersCode(late)
    await expect(async () => AUTH_INVITED.signIn({ email: late, code })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('who signed in before still does', async () => {
    const email = newAddress()
    await signIn(email)

    await expect(AUTH_INVITED.signIn({ email, code: await strangersCode(email) })).resolves.toMatchObject({ user: { email } })
  })
})

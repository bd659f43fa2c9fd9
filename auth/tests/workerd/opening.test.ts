import { testCall } from '@dot-do/worker-kernel/testing'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import type { Env } from '../../src/env.ts'
import { openSession, type ProvedIdentity } from '../../src/sessions/opening.ts'
import { claimsOf, newAddress, refresh, signIn, sql } from './people.ts'

/** auth's env, of which tests of its inner functions bring what auth on workerd has. */
const authEnv: Env = {
  KEY_MODE: 'test',
  KEY_PEPPER: 'the pepper of tests',
  JWT_SIGNING_KEY: 'the signing secret of tests, long enough',
  PLATFORM_URL: 'https://platform.test',
  DB_SERVICE: env.AUTH_TABLES,
  RefreshFamilies: env.RefreshFamilies,
  SignInGuards: env.SignInGuards,
}

/** Signs in as a provider's callback does. */
function open(proved: Partial<ProvedIdentity>) {
  const identity = { provider: 'acme-id', subject: crypto.randomUUID(), email: newAddress(), emailVerified: true, name: 'Ada Lovelace', ...proved }
  return openSession(identity, { name: 'Test browser', address: '203.0.113.7' }, testCall({ env: authEnv }))
}

const usersBy = (email: string) => sql('select id from auth.users where email = $1', email)

describe('who comes by a provider', () => {
  it('becomes a user with the name and the device that were told', async () => {
    const tokens = await open({})

    expect(tokens).toMatchObject({
      user: { name: 'Ada Lovelace' },
      session: { provider: 'acme-id', device: 'Test browser', address: '203.0.113.7' },
      organisation: { name: 'Ada Lovelace' },
    })
    await expect(refresh(tokens)).resolves.toMatchObject({ session: { id: tokens.session.id } })
  })

  it('several times at once, for the first time, becomes one user', async () => {
    const [email, subject] = [newAddress(), crypto.randomUUID()]

    const all = await Promise.all(Array.from({ length: 5 }, () => open({ email, subject })))

    expect(new Set(all.map(({ user }) => user.id)).size).toBe(1)
    expect(new Set(all.map(({ session }) => session.id)).size).toBe(5)
    expect(await usersBy(email)).toHaveLength(1)
    expect(await sql('select count(*)::integer from auth.members where user_id = $1', all[0]?.user.id ?? '')).toEqual([[1]])
  })

  it('is the user who proved the same address by a code', async () => {
    const email = newAddress()
    const { user } = await signIn(email)

    expect((await open({ email: email.toUpperCase() })).user.id).toBe(user.id)
  })

  it('stays the same user when the provider has another address, which no longer need be verified', async () => {
    const subject = crypto.randomUUID()
    const { user } = await open({ subject })

    const later = await open({ subject, email: newAddress(), emailVerified: false })

    expect(later.user).toMatchObject({ id: user.id, email: user.email })
  })

  it('is the user of the subject and not of the address, where the two are different people', async () => {
    const [subject, email] = [crypto.randomUUID(), newAddress()]
    const [{ user }] = [await open({ subject }), await signIn(email)]

    expect((await open({ subject, email })).user.id).toBe(user.id)
  })

  it('is no user of another provider with the same subject', async () => {
    const subject = crypto.randomUUID()
    const { user } = await open({ subject })

    expect((await open({ subject, provider: 'other-id' })).user.id).not.toBe(user.id)
  })

  it('with an address nobody verified becomes nobody: neither the user who has it nor a new one', async () => {
    const taken = newAddress()
    const { user } = await signIn(taken)
    const free = newAddress()

    for (const email of [taken, taken.toUpperCase(), free]) await expect(open({ email, emailVerified: false })).rejects.toMatchObject({ code: 'FORBIDDEN' })

    expect(await usersBy(free)).toEqual([])
    expect(await sql('select provider from auth.identities where user_id = $1', user.id)).toEqual([['code']])
  })

  it('is refused while disabled, and no session is opened', async () => {
    const subject = crypto.randomUUID()
    const { user } = await open({ subject })
    await sql('update auth.users set disabled_at = now() where id = $1', user.id)

    await expect(open({ subject })).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'This user was disabled' })
    expect(await sql('select count(*)::integer from auth.sessions where user_id = $1', user.id)).toEqual([[1]])
  })
})

describe('who comes under a provider’s organisation', () => {
  it('founds it the first time as its admin; the next is a user there', async () => {
    const providerOrganisation = crypto.randomUUID()

    const first = await open({ providerOrganisation })
    const second = await open({ providerOrganisation })

    expect(second.organisation.id).toBe(first.organisation.id)
    expect(claimsOf(first.accessToken).permissions).toContain('members:write')
    expect(claimsOf(second.accessToken).permissions).not.toContain('members:write')
  })

  it('acts there, though the last session was elsewhere', async () => {
    const email = newAddress()
    const own = await signIn(email)

    const there = await open({ email, providerOrganisation: crypto.randomUUID() })

    expect(there.user.id).toBe(own.user.id)
    expect(there.organisation.id).not.toBe(own.organisation.id)
  })
})

describe('who asks for an organisation', () => {
  it('acts there, by its id or its slug, if a member', async () => {
    const subject = crypto.randomUUID()
    const { organisation } = await open({ subject, providerOrganisation: crypto.randomUUID() })
    const email = (await sql('select email from auth.users u join auth.identities i on i.user_id = u.id where i.subject = $1', subject))[0]?.[0]

    const byCode = await signIn(String(email), { organisation: organisation.slug })

    expect((await open({ subject, organisation: organisation.id })).organisation.id).toBe(organisation.id)
    expect(byCode.organisation.id).toBe(organisation.id)
  })

  it('is told that it is not there if none', async () => {
    const { organisation } = await open({})

    await expect(open({ organisation: organisation.id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'
import { acting, audited, organisation, person } from './people.ts'

let auth: AuthInProcess
let acme: Awaited<ReturnType<typeof organisation>>
let sent: { to: string; subject: string; text: string }[]
let ada: BoundAuth
let adaId: string

beforeAll(async () => {
  auth = await startAuth()
  const mailbox = { send: async (mail: (typeof sent)[number]) => void sent.push(mail) }
  Object.assign(auth.env, { EMAIL: mailbox, MAIL_FROM: 'platform@example.com' })
})
beforeEach(async () => {
  await auth.db.database.reset()
  sent = []
  acme = await organisation(auth)
  adaId = await person(auth, 'ada@example.com')
  ada = await acting(auth, adaId, 'nowhere')
})
afterAll(() => auth.db.close())

async function invite(more: { email?: string; role?: string; expiresInDays?: number } = {}): Promise<{ id: string; token: string }> {
  const { id, token = '' } = await acme.admin.createInvite({ id: acme.id, email: 'ada@example.com', ...more })
  return { id, token }
}

describe('an invite', () => {
  it('makes whoever signed in by its address a member with its role, and says so in the audit log', async () => {
    const { token } = await invite({ email: 'Ada@Example.com', role: 'viewer' })

    const member = await ada.acceptInvite({ token })

    expect(member).toMatchObject({ organisation: acme.id, user: { id: adaId, email: 'ada@example.com' }, roles: ['viewer'], source: 'invite' })
    expect((await acme.admin.listInvites({ id: acme.id })).items).toEqual([])
    expect(await audited(auth)).toEqual(['auth.createOrganisation', 'auth.createInvite', 'auth.acceptInvite'])
  })

  it('is mailed as a link that holds for a week, with 32 random bytes of which only a hash is stored', async () => {
    const {
      id,
      token = '',
      sent: wasSent,
      createdAt,
      expiresAt,
    } = await acme.admin.createInvite({ id: acme.id, email: 'ada@example.com' }, { idempotencyKey: 'once' })

    const tables = await Promise.all(['invites', 'audit', 'ledger'].map((table) => owned(auth.db.database, `select t::text from auth.${table} t`)))
    expect(wasSent).toBe(true)
    expect(sent).toMatchObject([{ to: 'ada@example.com', subject: 'Invitation to Acme' }])
    expect(sent[0]?.text).toContain(`https://platform.test/auth/invites/accept?token=${token}`)
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(7 * 86_400_000)
    expect(JSON.stringify(tables)).toContain(id)
    expect(JSON.stringify(tables)).not.toContain(token)
  })

  it('is mailed once for a repeated call, which no longer shows the token', async () => {
    const input = { id: acme.id, email: 'ada@example.com' }
    const first = await acme.admin.createInvite(input, { idempotencyKey: 'once' })

    const second = await acme.admin.createInvite(input, { idempotencyKey: 'once' })

    expect(second.id).toBe(first.id)
    expect(second.token).toBeUndefined()
    expect(sent).toHaveLength(1)
  })

  it('waits also where no mail can be sent, for whoever hands its link over', async () => {
    Object.assign(auth.env, { MAIL_FROM: '' })
    const made = await acme.admin.createInvite({ id: acme.id, email: 'ada@example.com' })
    Object.assign(auth.env, { MAIL_FROM: 'platform@example.com' })

    expect(made.sent).toBe(false)
    expect(await ada.acceptInvite({ token: made.token ?? '' })).toMatchObject({ roles: ['user'] })
  })

  it('adds its role to what a member has got meanwhile', async () => {
    const { token } = await invite({ role: 'viewer' })
    await auth.db.database.engine.script(
      `insert into auth.members (organisation_id, user_id, roles, source, since) values ('${acme.id}', '${adaId}', array['user'], 'provider', now())`,
    )

    expect(await ada.acceptInvite({ token })).toMatchObject({ roles: ['user', 'viewer'], source: 'provider' })
  })

  it('accepted again by the same user is harmless, and does not bring back who was removed', async () => {
    const { token } = await invite()
    const first = await ada.acceptInvite({ token })

    const second = await ada.acceptInvite({ token })
    await acme.admin.removeMember({ id: acme.id, user: adaId })

    expect(second).toEqual(first)
    await expect(ada.acceptInvite({ token })).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'token' }] })
  })

  it('is accepted once, also where it is accepted twice at once', async () => {
    const { token } = await invite()

    await Promise.allSettled([ada.acceptInvite({ token }), ada.acceptInvite({ token })])

    expect((await audited(auth)).filter((action) => action === 'auth.acceptInvite')).toHaveLength(1)
  })

  it('is of no use to somebody else, to a key, or to a guesser', async () => {
    const { token } = await invite()
    const eve = await acting(auth, await person(auth, 'eve@example.com'), 'nowhere')

    await expect(eve.acceptInvite({ token })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(auth.as('key', ['*']).acceptInvite({ token })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(ada.acceptInvite({ token: `${token.slice(0, -1)}_` })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await acme.admin.listMembers({ id: acme.id })).items).toHaveLength(1)
  })

  it.each([
    ['has expired', `update auth.invites set expires_at = now() - interval '1 second'`],
    ['was taken back', 'update auth.invites set revoked_at = now()'],
  ])('is refused once it %s', async (reason, change) => {
    const { token } = await invite()
    await auth.db.database.engine.script(change)

    await expect(ada.acceptInvite({ token })).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining(reason) as unknown })
  })

  it('that is taken back is gone from the list, and can be taken back again', async () => {
    const { id, token } = await invite()

    await acme.admin.revokeInvite({ id: acme.id, invite: id })
    await acme.admin.revokeInvite({ id: acme.id, invite: id })

    expect((await acme.admin.listInvites({ id: acme.id })).items).toEqual([])
    await expect(ada.acceptInvite({ token })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('that was accepted cannot be taken back', async () => {
    const { id, token } = await invite()
    await ada.acceptInvite({ token })

    await expect(acme.admin.revokeInvite({ id: acme.id, invite: id })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('takes the place of one that waits for the same address', async () => {
    const old = await invite()
    const fresh = await invite({ role: 'viewer' })

    expect((await acme.admin.listInvites({ id: acme.id })).items.map(({ id }) => id)).toEqual([fresh.id])
    await expect(ada.acceptInvite({ token: old.token })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await ada.acceptInvite({ token: fresh.token })).toMatchObject({ roles: ['viewer'] })
  })

  it('is refused to the address of a member, and to a role that there is not', async () => {
    const { token } = await invite()
    await ada.acceptInvite({ token })

    await expect(invite()).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'email' }] })
    await expect(invite({ email: 'new@example.com', role: 'press' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'role' }] })
  })

  it('is over when its organisation is', async () => {
    const { token } = await invite()
    await acme.admin.deleteOrganisation({ id: acme.id })

    await expect(ada.acceptInvite({ token })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { signAccessToken } from '../src/sessions/access-tokens.ts'
import { startAuth, type AuthInProcess, type BoundAuth } from './in-process.ts'
import { acting, audited, member, organisation, ownCall } from './people.ts'

let auth: AuthInProcess
let platform: BoundAuth

beforeAll(async () => {
  auth = await startAuth()
  platform = auth.as('operator', ['*'])
})
beforeEach(() => auth.db.database.reset())
afterAll(() => auth.db.close())

const run = (sql: string) => auth.db.database.engine.script(sql)
const ids = async (table: string) => (await owned(auth.db.database, `select id from auth.${table} order by id`)).map(([id]) => String(id))
const resolve = (id: string, tenant: string) => platform.resolvePrincipal({ id, tenant })

async function keyOf(tenant: string, permissions = ['things:read']): Promise<string> {
  return (await platform.createKey({ name: 'worker', tenant, permissions })).id
}

async function trustOf(tenant: string): Promise<string> {
  return (await platform.createTrust({ tenant, repository: 'acme/site', permissions: [`deployments:create@*/*/${tenant}`] })).id
}

async function sessionOf(user: string, place: { id: string }, { expires, revoked }: { expires: string; revoked?: string }): Promise<string> {
  const id = `sess_${crypto.randomUUID()}`
  const ended = revoked === undefined ? 'null' : `now() ${revoked}`
  await run(`insert into auth.sessions (id, user_id, organisation_id, device, address, provider, created_at, last_used_at, expires_at, revoked_at)
    values ('${id}', '${user}', '${place.id}', '', '', 'code', now(), now(), now() ${expires}, ${ended})`)
  return id
}

describe('what a key may later', () => {
  it('is what it may now, in its own tenant', async () => {
    const id = await keyOf('acme', ['things:read', 'jobs:write'])

    expect(await resolve(id, 'acme')).toEqual({ principal: { id, kind: 'key', tenant: 'acme', permissions: ['things:read', 'jobs:write'] } })
    expect(await resolve(id, 'globex')).toEqual({ principal: null, reason: 'unknown' })
  })

  it('is what the newest of its line may, under its own id, however often it was rotated and long after its grace period', async () => {
    const first = await keyOf('acme')
    const second = await platform.rotateKey({ id: first })
    await platform.rotateKey({ id: second.id })
    await run(`update auth.keys set expires_at = now() - interval '1 day' where replaced_by is not null`)

    expect(await resolve(first, 'acme')).toEqual({ principal: { id: first, kind: 'key', tenant: 'acme', permissions: ['things:read'] } })
  })

  it('is nothing once it is revoked, or has expired, or its successor has', async () => {
    const [revoked, expired, rotated] = await Promise.all([keyOf('acme'), keyOf('acme'), keyOf('acme')])
    const successor = await platform.rotateKey({ id: rotated })
    await platform.revokeKey({ id: revoked })
    await platform.revokeKey({ id: successor.id })
    await run(`update auth.keys set expires_at = now() where id = '${expired}'`)

    expect(await resolve(revoked, 'acme')).toEqual({ principal: null, reason: 'revoked' })
    expect(await resolve(expired, 'acme')).toEqual({ principal: null, reason: 'expired' })
    expect(await resolve(rotated, 'acme')).toEqual({ principal: null, reason: 'revoked' })
  })
})

describe('what a person may later', () => {
  it('is what the membership permits by then: roles, the organisation’s own among them, and grants', async () => {
    const place = await organisation(auth)
    const user = await member(auth, place, ['viewer'])
    const before = await resolve(user, place.slug)
    await run(`insert into auth.roles (organisation_id, name, permissions, created_at) values ('${place.id}', 'clerk', '{events:write}', now());
      update auth.members set roles = '{viewer,clerk}', permissions = '{keys:read}' where user_id = '${user}'`)

    const after = await resolve(user, place.slug)

    expect(before.principal).toMatchObject({ id: user, kind: 'user', tenant: place.slug })
    expect(before.principal?.permissions.toSorted()).toEqual(['jobs:read', 'tasks:read', 'things:read'])
    expect(after.principal?.permissions.toSorted()).toEqual(['events:write', 'jobs:read', 'keys:read', 'tasks:read', 'things:read'])
  })

  it('is nothing in an organisation that is left or has ended, nor for somebody disabled or unknown', async () => {
    const [place, ended] = [await organisation(auth), await organisation(auth, 'Globex')]
    const [left, disabled] = [await member(auth, place, ['user']), await member(auth, place, ['user'])]
    await place.admin.removeMember({ id: place.id, user: left })
    await platform.disableUser({ id: disabled })
    await ended.admin.deleteOrganisation({ id: ended.id })

    expect(await resolve(left, place.slug)).toEqual({ principal: null, reason: 'no_member' })
    expect(await resolve(place.founder, 'nowhere')).toEqual({ principal: null, reason: 'no_member' })
    expect(await resolve(disabled, place.slug)).toEqual({ principal: null, reason: 'disabled' })
    expect(await resolve(ended.founder, ended.slug)).toEqual({ principal: null, reason: 'no_member' })
    expect(await resolve('user_nobody', place.slug)).toEqual({ principal: null, reason: 'unknown' })
  })
})

describe('what a workload may later', () => {
  it('is what the trust gives that its credential was named after, while there is one', async () => {
    const id = await trustOf('acme')
    const trusted = await resolve(id, 'acme')
    await platform.deleteTrust({ id })

    expect(trusted).toEqual({ principal: { id, kind: 'workload', tenant: 'acme', permissions: ['deployments:create@*/*/acme'] } })
    expect(await resolve(id, 'acme')).toEqual({ principal: null, reason: 'unknown' })
  })
})

describe('resolvePrincipal', () => {
  it.each(['operator', 'queue', 'constructor_x', '__proto___x', 'anonymous', 'key_', 'user_', "key_' or true --"])('knows nobody by %j', async (id) => {
    expect(await resolve(id, 'default')).toEqual({ principal: null, reason: 'unknown' })
  })

  it('answers the platform alone, not the admin of an organisation', async () => {
    const { admin, founder, slug } = await organisation(auth)

    await expect(admin.resolvePrincipal({ id: founder, tenant: slug })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('cleanUpSessions', () => {
  it('removes sessions whose end is as long ago as told, and leaves the others', async () => {
    const place = await organisation(auth)
    const user = place.founder
    await sessionOf(user, place, { expires: `- interval '31 days'` })
    await sessionOf(user, place, { expires: `+ interval '1 day'`, revoked: `- interval '31 days'` })
    const kept = await Promise.all([
      sessionOf(user, place, { expires: `- interval '29 days'` }),
      sessionOf(user, place, { expires: `+ interval '1 day'`, revoked: `- interval '29 days'` }),
      sessionOf(user, place, { expires: `+ interval '1 day'` }),
    ])

    expect(await platform.cleanUpSessions({})).toEqual({ sessions: 2 })
    expect(await ids('sessions')).toEqual(kept.toSorted())
    expect(await platform.cleanUpSessions({ olderThanDays: 1 })).toEqual({ sessions: 2 })
    expect(await ids('sessions')).toEqual(kept.slice(2))
  })

  it('drops a retired signing key a day after, when nothing that it signed is good any more', async () => {
    await signAccessToken({ sub: 'user_1', kind: 'user', tenant: 'acme', permissions: [] }, 3600, ownCall(auth))
    await platform.rotateSigningKey({})
    const states = async () => (await owned(auth.db.database, 'select state from auth.signing_keys order by state')).map(([state]) => state)

    await run(`update auth.signing_keys set retired_at = now() - interval '23 hours' where state = 'retired'`)
    await platform.cleanUpSessions({})
    const young = await states()
    await run(`update auth.signing_keys set retired_at = now() - interval '25 hours' where state = 'retired'`)
    await platform.cleanUpSessions({})

    expect(young).toEqual(['current', 'next', 'retired'])
    expect(await states()).toEqual(['current', 'next'])
  })

  it('forgets the refusals of tokens that have expired, and no others', async () => {
    await run(`insert into auth.refused_tokens values ('user_1', now() - interval '62 minutes'), ('user_2', now() - interval '59 minutes')`)

    await platform.cleanUpSessions({})

    expect(await owned(auth.db.database, 'select subject from auth.refused_tokens')).toEqual([['user_2']])
  })
})

describe('cleanUpKeys', () => {
  it('removes keys that expired or were revoked as long ago as told, and tells the audit log which', async () => {
    const [expired, revoked, young, inForce] = [await keyOf('acme'), await keyOf('acme'), await keyOf('globex'), await keyOf('acme')]
    await run(`update auth.keys set expires_at = now() - interval '31 days' where id = '${expired}';
      update auth.keys set revoked_at = now() - interval '31 days' where id = '${revoked}';
      update auth.keys set revoked_at = now() - interval '29 days' where id = '${young}'`)

    expect(await platform.cleanUpKeys({})).toEqual({ keys: 2 })

    expect(await ids('keys')).toEqual([young, inForce].toSorted())
    const [entry] = (await platform.listAudit({})).items
    expect(entry).toMatchObject({ action: 'auth.cleanUpKeys', actor: 'operator' })
    expect(((entry?.detail['keys'] ?? []) as string[]).toSorted()).toEqual([expired, revoked].toSorted())
    expect(await platform.verifyAudit({})).toMatchObject({ valid: true })
  })

  it('keeps every key of a line whose newest is in force, so that work named after an old one goes on', async () => {
    const first = await keyOf('acme')
    const { id: second } = await platform.rotateKey({ id: first })
    await run(`update auth.keys set expires_at = now() - interval '90 days' where id = '${first}'`)

    expect(await platform.cleanUpKeys({})).toEqual({ keys: 0 })
    expect(await ids('keys')).toEqual([first, second].toSorted())
    expect(await audited(auth)).not.toContain('auth.cleanUpKeys')
  })

  it('keeps a line of which an older key is in force yet, and removes the whole once it is not', async () => {
    const first = await keyOf('acme')
    const { id: second } = await platform.rotateKey({ id: first, graceSeconds: 604_800 })
    await run(`update auth.keys set revoked_at = now() - interval '2 days' where id = '${second}'`)

    const early = await platform.cleanUpKeys({ olderThanDays: 1 })
    await run(`update auth.keys set expires_at = now() - interval '2 days' where id = '${first}'`)

    expect(early).toEqual({ keys: 0 })
    expect(await platform.cleanUpKeys({ olderThanDays: 1 })).toEqual({ keys: 2 })
    expect(await ids('keys')).toEqual([])
  })

  it('removes more than fit into one transaction', async () => {
    await run(`insert into auth.keys (id, hash, preview, name, tenant, permissions, created_at, created_by, expires_at)
      select 'key_' || n, 'hash' || n, '', '', 'acme', '{}', now(), 'x', now() - interval '31 days' from generate_series(1, 450) n`)

    expect(await platform.cleanUpKeys({})).toEqual({ keys: 450 })
    expect(await ids('keys')).toEqual([])
  })

  it('is the platform’s alone, as cleanUpSessions is', async () => {
    const place = await organisation(auth)
    const admin = await acting(auth, place.founder, place.slug)

    await expect(admin.cleanUpKeys({})).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(admin.cleanUpSessions({})).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

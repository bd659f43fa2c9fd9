import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { callOf } from '@dot-do/worker-kernel/call'
import { verifiedDomain } from '../src/domains.ts'
import { startDispatcher, type BoundDispatcher, type DispatcherInProcess } from './in-process.ts'

let dispatcher: DispatcherInProcess
let deploy: BoundDispatcher

beforeAll(async () => {
  dispatcher = await startDispatcher()
  deploy = dispatcher.as('deploy', ['domains:read', 'domains:write'])
})
beforeEach(async () => {
  await dispatcher.db.database.reset()
  dispatcher.dns.records.clear()
  dispatcher.dns.broken = undefined
})
afterAll(() => dispatcher.close())

const HOST = 'shop.example.com'
const claim = (tenant: string, host = HOST) => ({ tenant, worker: 'shop', environment: 'production' as const, host })

async function claimAndProve(tenant: string, host = HOST) {
  const { verification } = await deploy.addDomain(claim(tenant, host))
  dispatcher.dns.records.set(verification.name, [`"${verification.value}"`])
  return deploy.verifyDomain({ tenant, host })
}

/** Whose worker a host leads to. */
async function leadsTo(host: string): Promise<string | undefined> {
  const call = callOf({ env: dispatcher.env, waitUntil: () => undefined }, 'rpc')
  return (await verifiedDomain(host, call))?.tenant
}

describe('a custom domain', () => {
  it('leads nowhere until its record proves whose it is', async () => {
    const added = await deploy.addDomain(claim('acme'))

    expect(added).toMatchObject({ status: 'pending', verifiedAt: null, verification: { name: `_dotdo-verify.${HOST}`, type: 'TXT' } })
    expect(added.verification.value).toMatch(/^[A-Za-z0-9_-]{24}$/)
    await expect(deploy.verifyDomain({ tenant: 'acme', host: HOST })).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'host' }] })
    expect(await leadsTo(HOST)).toBeUndefined()

    dispatcher.dns.records.set(added.verification.name, ['"v=spf1 -all"', `"${added.verification.value.slice(0, 5)}" "${added.verification.value.slice(5)}"`])
    const verified = await deploy.verifyDomain({ tenant: 'acme', host: HOST })

    expect(verified).toMatchObject({ status: 'verified', verifiedAt: expect.any(String) as string })
    expect(await leadsTo(HOST)).toBe('acme')
  })

  it('is not proved by another’s record', async () => {
    const { verification } = await deploy.addDomain(claim('rival'))
    dispatcher.dns.records.set(verification.name, [`"${verification.value}"`])
    await deploy.addDomain(claim('acme'))

    await expect(deploy.verifyDomain({ tenant: 'acme', host: HOST })).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('stays verified, and keeps its record, when it is led to another worker', async () => {
    const verified = await claimAndProve('acme')

    const moved = await deploy.addDomain({ ...claim('acme'), worker: 'other', environment: 'staging' })

    expect(moved).toEqual({ ...verified, worker: 'other', environment: 'staging' })
  })

  it('is not kept from its owner by a claim that nobody proved', async () => {
    await deploy.addDomain(claim('squatter'))

    expect(await claimAndProve('acme')).toMatchObject({ tenant: 'acme', status: 'verified' })
  })

  it('cannot be claimed once it is another’s, until they give it up', async () => {
    await deploy.addDomain(claim('late'))
    await claimAndProve('acme')

    await expect(deploy.addDomain(claim('rival'))).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'host', message: 'is taken' }] })
    await expect(deploy.verifyDomain({ tenant: 'late', host: HOST })).rejects.toMatchObject({
      code: 'CONFLICT',
      details: [{ path: 'host', message: 'is taken' }],
    })
    await deploy.removeDomain({ tenant: 'acme', host: HOST })

    expect(await leadsTo(HOST)).toBeUndefined()
    expect(await claimAndProve('rival')).toMatchObject({ status: 'verified' })
  })

  it('is verified for one only, by the database’s own word', async () => {
    await claimAndProve('acme')

    const second = `insert into dispatcher.domains values ($1, 'rival', 'shop', 'production', 't', now(), now())`

    await expect(dispatcher.db.database.execute('dispatcher')([{ sql: second, params: [HOST] }])).rejects.toMatchObject({ code: '23505' })
  })

  it.each([
    ['example.do', 'the platform’s'],
    ['shop.hello.do', 'below one of the platform’s'],
    ['shop.localhost', 'under the suffix of this deployment'],
    ['db.internal', 'of an inner network'],
    ['printer.local', 'of a local network'],
    ['*.example.com', 'a wildcard'],
    ['Shop.example.com', 'not in lower case'],
    ['127.0.0.1', 'an address'],
    ['localhost', 'this machine'],
  ])('cannot be %s, %s', async (host) => {
    await expect(deploy.addDomain(claim('acme', host))).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'host' }] })
  })

  it.each([
    ['fails', { status: 503, body: '' }],
    ['talks nonsense', { status: 200, body: '<html>' }],
    ['leaves out what it should say', { status: 200, body: '{}' }],
    ['cannot ask the domain’s own servers', { status: 200, body: '{"Status":2}' }],
  ])('stays pending when the resolver %s', async (_what, broken) => {
    await deploy.addDomain(claim('acme'))
    dispatcher.dns.broken = broken

    await expect(deploy.verifyDomain({ tenant: 'acme', host: HOST })).rejects.toMatchObject({ code: 'UPSTREAM' })
    expect(await leadsTo(HOST)).toBeUndefined()
  })
})

describe('the list of domains', () => {
  it('is one tenant’s, by host, a page at a time', async () => {
    for (const host of ['c.example.com', 'a.example.com', 'b.example.com']) await deploy.addDomain(claim('acme', host))
    await deploy.addDomain(claim('rival', 'x.example.com'))
    await deploy.addDomain({ ...claim('acme', 'd.example.com'), worker: 'other' })

    const first = await deploy.listDomains({ tenant: 'acme', limit: 2 })
    const second = await deploy.listDomains({ tenant: 'acme', limit: 2, cursor: first.nextCursor ?? '' })
    const ofWorker = await deploy.listDomains({ tenant: 'acme', worker: 'other' })

    expect([...first.items, ...second.items].map(({ host }) => host)).toEqual(['a.example.com', 'b.example.com', 'c.example.com', 'd.example.com'])
    expect(second.nextCursor).toBeNull()
    expect(ofWorker.items.map(({ host }) => host)).toEqual(['d.example.com'])
  })
})

describe('another tenant’s domain', () => {
  it('is not there', async () => {
    await deploy.addDomain(claim('acme'))

    for (const operation of ['verifyDomain', 'removeDomain'] as const)
      await expect(deploy[operation]({ tenant: 'rival', host: HOST })).rejects.toMatchObject({ code: 'NOT_FOUND', message: `No domain ${HOST}` })
  })
})

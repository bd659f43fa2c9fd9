import { callOf } from '@dot-do/worker-kernel/call'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { atDomain, serviceOf } from '../src/domains.ts'
import { route } from '../src/routing.ts'
import { SERVICE_NAMES } from '../src/services.ts'
import { startGateway, type BoundGateway, type GatewayInProcess } from './in-process.ts'

let running: GatewayInProcess
let gateway: BoundGateway

beforeAll(async () => {
  running = await startGateway()
  gateway = running.as('operator', ['routes:read', 'routes:write'])
})
beforeEach(() => running.db.database.reset())
afterAll(() => running.db.close())

let number = 0

/** A host that no isolate has heard of. */
function newHost(): string {
  return `host-${++number}.example.com`
}

/** A call as the front door makes it; what it defers is kept. */
function lookUp() {
  const deferred: Promise<unknown>[] = []
  return { deferred, call: callOf({ env: running.env, waitUntil: (promise: Promise<unknown>) => void deferred.push(promise) }, 'http') }
}

describe('a host of one’s own', () => {
  it('leads to a service once it is created, and nowhere once it is deleted', async () => {
    const host = newHost()
    const table = { services: SERVICE_NAMES, hostSuffix: '' }
    const lead = async (path: string) => {
      const target = route(host, path, table)
      return target && atDomain(target, lookUp().call)
    }
    expect(await lead('/things')).toMatchObject({ service: 'dispatcher', published: 'host' })

    const created = await gateway.createDomain({ host, service: 'db' })
    expect(created).toEqual({ host, service: 'db', createdAt: expect.any(String) as string, createdBy: 'operator' })
    expect(await lead('/things/a/b')).toEqual({ service: 'db', path: '/things/a/b', rule: `domain ${host}` })
    expect(await lead('/mcp')).toEqual({ service: 'mcp', path: '/db/mcp', rule: `domain ${host}` })

    expect(await gateway.deleteDomain({ host })).toEqual(created)
    expect(await lead('/things')).toMatchObject({ service: 'dispatcher', published: 'host' })
    await expect(gateway.deleteDomain({ host })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is created again without harm, and may lead to another service then', async () => {
    const host = newHost()
    const first = await gateway.createDomain({ host, service: 'db' })

    expect(await gateway.createDomain({ host, service: 'db' })).toEqual(first)
    expect(await gateway.createDomain({ host, service: 'auth' })).toEqual({ ...first, service: 'auth' })
    expect(await serviceOf(host, lookUp().call)).toBe('auth')
  })

  it.each(['db.do', 'hello.do', 'acme.app.tenant.do', 'acme.mw', 'shop.localhost', 'x.localhost', 'printer.local', 'service.internal', 'router.lan'])(
    'is not %s, which is the platform’s or nobody’s',
    async (host) => {
      await expect(gateway.createDomain({ host, service: 'db' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'host' }] })
    },
  )

  it.each(['UPPER.example.com', '*.example.com', 'example', '10.0.0.1', 'a..b.com', 'example.com.', 'example.com:80', 'exa mple.com', ''])(
    'is not %s, which is no host name',
    async (host) => {
      await expect(gateway.createDomain({ host, service: 'db' })).rejects.toMatchObject({ code: 'INVALID' })
    },
  )

  it('leads to services that there are', async () => {
    await expect(gateway.createDomain({ host: newHost(), service: 'constructor' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'service' }] })
  })

  it('is listed by name, a page at a time', async () => {
    for (const host of ['c.example.com', 'a.example.com', 'b.example.com']) await gateway.createDomain({ host, service: 'db' })

    const first = await gateway.listDomains({ limit: 2 })
    const second = await gateway.listDomains({ limit: 2, cursor: first.nextCursor ?? '' })

    expect([...first.items, ...second.items].map(({ host }) => host)).toEqual(['a.example.com', 'b.example.com', 'c.example.com'])
    expect(second.nextCursor).toBeNull()
    await expect(gateway.listDomains({ cursor: 'bm8' })).rejects.toMatchObject({ code: 'INVALID' })
  })
})

describe('the table of domains', () => {
  it('is read once for however many ask at a time, also for what is not in it', async () => {
    const host = newHost()
    const { call } = lookUp()
    let reads = 0
    const { DB_SERVICE } = running.env
    const env = { ...running.env, DB_SERVICE: { execute: (...input: Parameters<typeof DB_SERVICE.execute>) => (reads++, DB_SERVICE.execute(...input)) } }
    const counted = { ...call, env: env as unknown as typeof running.env }

    const answers = await Promise.all(Array.from({ length: 50 }, () => serviceOf(host, counted)))
    answers.push(await serviceOf(host, counted))

    expect(new Set(answers)).toEqual(new Set([null]))
    expect(reads).toBe(1)
  })

  it('leaves hosts that are not known to the layers below while it is away, and keeps those that are', async () => {
    const [known, unknown, third] = [newHost(), newHost(), newHost()]
    await gateway.createDomain({ host: known, service: 'db' })
    expect(await serviceOf(known, lookUp().call)).toBe('db')

    await running.db.duringOutage(async () => {
      expect(await serviceOf(unknown, lookUp().call)).toBeNull()
      expect(await serviceOf(third, lookUp().call)).toBeNull()
      expect(await serviceOf(known, lookUp().call)).toBe('db')
    })
  })
})

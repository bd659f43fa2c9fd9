import { refusesStrangers, testPrincipal } from '@dot-do/worker-kernel/testing'
import { dispatcher as contract } from '@dot-do/worker-contracts/dispatcher'
import { callOf } from '@dot-do/worker-kernel/call'
import { invoke } from '@dot-do/worker-kernel/invoke'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import type { Env } from '../src/env.ts'
import { limitsOf } from '../src/plans.ts'
import { service } from '../src/service.ts'
import { domains, tenants } from '../src/tables.ts'
import { startDispatcher, type BoundDispatcher, type DispatcherInProcess } from './in-process.ts'

let dispatcher: DispatcherInProcess
let gateway: BoundDispatcher

beforeAll(async () => {
  dispatcher = await startDispatcher()
  gateway = dispatcher.as('gateway', [])
})
beforeEach(() => dispatcher.db.database.reset())
afterAll(() => dispatcher.close())

const admin = { onBehalfOf: testPrincipal(['*']) }
const ofAcme = { onBehalfOf: testPrincipal(['tenants:read', 'tenants:write', 'pointers:read'], { tenant: 'acme' }) }

describe('a tenant’s settings', () => {
  it('are the defaults until something is set, and then what was set', async () => {
    expect(await gateway.getTenant({ tenant: 'acme' }, admin)).toEqual({ tenant: 'acme', plan: 'standard', outbound: ['*'], updatedAt: null })

    await gateway.setTenant({ tenant: 'acme', plan: 'plus' }, admin)
    const set = await gateway.setTenant({ tenant: 'acme', outbound: ['example.com', '*.example.org'] }, admin)

    expect(set).toMatchObject({ plan: 'plus', outbound: ['example.com', '*.example.org'], updatedAt: expect.any(String) as string })
    expect(await gateway.getTenant({ tenant: 'acme' }, admin)).toEqual(set)
    expect(await gateway.setTenant({ tenant: 'acme', outbound: [] }, admin)).toMatchObject({ plan: 'plus', outbound: [] })
  })

  it('are its own and nobody else’s', async () => {
    expect(await gateway.setTenant({ tenant: 'acme', outbound: [] }, ofAcme)).toMatchObject({ tenant: 'acme' })

    for (const refused of [gateway.getTenant({ tenant: 'rival' }, ofAcme), gateway.setTenant({ tenant: 'rival', plan: 'plus' }, ofAcme)])
      await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'No tenant rival' })
  })

  it.each([
    ['a plan that is none', { plan: 'golden' }, 'plan'],
    ['what is no host', { outbound: ['https://example.com'] }, 'outbound.0'],
    ['a typo', { outbond: [] }, 'outbond'],
  ])('cannot be %s', async (_what, change, path) => {
    const setTenant = gateway.setTenant as (input: object, call: object) => Promise<unknown>

    await expect(setTenant({ tenant: 'acme', ...change }, admin)).rejects.toMatchObject({ code: 'INVALID', details: [{ path }] })
  })

  it('decide what its workers may use', () => {
    expect(limitsOf('plus')).toEqual({ cpuMs: 5_000, subRequests: 1_000 })
    expect(limitsOf('standard')).toEqual({ cpuMs: 500, subRequests: 50 })
    expect(limitsOf('toString')).toEqual(limitsOf('standard'))
  })
})

describe('where a host leads', () => {
  it.each([
    ['gateway.do', 'the host and path are the platform’s own'],
    ['http://gateway.do/dispatcher/resolve', 'the host and path are the platform’s own'],
    ['staging.do', 'nothing is published at staging.do'],
    ['http://shop.example.com/x', 'nothing is published at shop.example.com'],
  ])('is told of %s', async (url, reason) => {
    expect(await gateway.resolve({ url }, admin)).toEqual({ tenant: null, worker: null, environment: null, version: null, access: null, reason })
  })

  it('is not told of another tenant’s worker', async () => {
    expect(await gateway.resolve({ url: 'rival.hello.tenant.do' }, ofAcme)).toMatchObject({
      tenant: null,
      reason: 'nothing is published at rival.hello.tenant.do',
    })
  })

  it('is asked by a URL or a host', async () => {
    await expect(gateway.resolve({ url: 'http://' }, admin)).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'url' }] })
  })
})

describe('the dispatcher', () => {
  it('answers nobody without the permission, and before it reads what they ask', async () => {
    const implemented = service as unknown as AnyImplemented<Env> // as the projections see it

    const props = { principal: { id: 'gateway', permissions: [] }, delegate: { permissions: ['*'] } }
    const asked = refusesStrangers(contract, (name, onBehalfOf) => {
      const call = callOf({ env: dispatcher.env, props, waitUntil: () => undefined }, 'rpc', { onBehalfOf })
      return invoke(implemented, { name, gather: () => ({}) }, call)
    })

    await expect(asked).resolves.toBeUndefined()
  })

  it.each([
    ['domains', domains],
    ['tenants', tenants],
  ])('has its tables in PostgreSQL as Drizzle has them: %s', async (name, table) => {
    const columns = getTableConfig(table).columns.map((column) => [column.name, column.getSQLType(), column.notNull ? 't' : 'f'])
    const sql = `select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute where attrelid = 'dispatcher.${name}'::regclass and attnum > 0 and not attisdropped order by attname`

    expect(columns.sort()).toEqual(await owned(dispatcher.db.database, sql))
  })
})

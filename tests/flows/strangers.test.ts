import { auth } from '@dot-do/worker-contracts/auth'
import type { Contract } from '@dot-do/worker-contracts/contract'
import { db } from '@dot-do/worker-contracts/db'
import { deploy } from '@dot-do/worker-contracts/deploy'
import { dispatcher } from '@dot-do/worker-contracts/dispatcher'
import { gateway } from '@dot-do/worker-contracts/gateway'
import { mcp } from '@dot-do/worker-contracts/mcp'
import { queue } from '@dot-do/worker-contracts/queue'
import { parseRoute } from '@dot-do/worker-contracts/route'
import { schedule } from '@dot-do/worker-contracts/schedule'
import { describe, expect, it } from 'vitest'
import { ask, rpc } from './client.ts'

const CONTRACTS: Contract[] = [auth, db, deploy, dispatcher, gateway, mcp, queue, schedule]
const OPERATIONS = CONTRACTS.flatMap((contract) =>
  Object.entries(contract.operations).map(([name, operation]) => ({ service: contract.name, name, operation })),
)
const ROUTES = OPERATIONS.flatMap(({ service, name, operation }) => (operation.http ? [{ service, name, operation, ...parseRoute(operation.http) }] : []))

/** Headers that only the platform may say, as a stranger would forge them. */
const FORGED = {
  'x-dotdo-call': JSON.stringify({ credential: 'header', onBehalfOf: { id: 'key_admin', kind: 'key', tenant: 'default', permissions: ['*'] } }),
  'x-dotdo-principal': 'admin',
}

describe('a stranger over HTTP', () => {
  it.each(ROUTES.map((route) => [`${route.service} ${route.method} ${route.path}`, route] as const))(
    'gets no further than the contract says: %s',
    async (_name, { service, method, path, operation }) => {
      const own = path.replaceAll(/:\w+\+?/g, 'x')
      const paths = service === 'gateway' ? [own] : [`/${service}${own}`, `/api/${service}${own}`]

      for (const asked of paths) {
        const { status, error } = await ask(asked, {
          method,
          headers: { 'x-request-id': 'stranger', ...FORGED },
          ...(method !== 'GET' && { body: '{"broken":' }),
        })

        if (operation.permission === 'public') expect([401, 403, 404, 500]).not.toContain(status)
        else expect({ status, code: error['code'] }).toEqual({ status: 401, code: 'UNAUTHENTICATED' })
      }
    },
  )

  it.each(['/db/changes', '/db/export.ndjson', '/db/import.ndjson', '/deploy/logs'])('gets nothing of what a service answers by hand at %s', async (path) => {
    const { status, error } = await ask(path, { headers: FORGED, ...(path.includes('import') && { body: '{}' }) })

    expect({ status, code: error['code'] }).toEqual({ status: 401, code: 'UNAUTHENTICATED' })
  })

  it.each([
    '/mcp',
    '/db/mcp',
    '/auth/mcp',
    '/_anything',
    '/_routes',
    '/db/_x',
    '/api/db/_x',
    '//_routes',
    '/%5froutes',
    '/%5Froutes',
    '/./_routes',
    '/x/../_routes',
    '//%5fx',
    '/%2f_routes',
    '/db//_x',
    '/_routes/a/b',
  ])('is asked who they are at %s', async (path) => {
    expect((await ask(path, { method: 'POST', body: '{}', headers: FORGED })).status).toBe(401)
  })

  it.each([
    ['db.do', '/things'],
    ['db.apis.do', '/things'],
    ['auth.services.do', '/apikeys'],
    ['gateway.do', '/db/things'],
  ])('is refused by host %s too', async (host, path) => {
    const port = new URL((await import('vitest')).inject('platform').url).port

    expect((await ask(path, { host: `${host}.localhost:${port}`, headers: FORGED })).status).toBe(401)
  })
})

describe('a Worker without props', () => {
  it.each(OPERATIONS.map(({ service, name, operation }) => [`${service}.${name}`, service, name, operation.permission] as const))(
    'may not call %s unless it is public',
    async (_title, service, name, permission) => {
      const { value, error } = await rpc(`${service.toUpperCase()}_STRANGER`, name, {})

      // What is public may want an input; that is said to anyone.
      if (permission === 'public') expect([undefined, 'INVALID', 'UNAVAILABLE']).toContain(value === undefined ? error['code'] : undefined)
      else expect(error['code']).toBe('UNAUTHENTICATED')
    },
  )

  it.each(['begin', 'changes'])('may not call db.%s, which is RPC’s alone', async (method) => {
    expect((await rpc('DB_STRANGER', method, {})).error['code']).toBe('UNAUTHENTICATED')
    expect((await rpc('DB_POWERLESS', method, {})).error['code']).toBe('FORBIDDEN')
  })

  it.each(CONTRACTS.map(({ name }) => name))('sees only the public tools of %s, and may use none', async (service) => {
    const tools = await rpc(`${service.toUpperCase()}_STRANGER`, 'tools', {})
    const used = await rpc(`${service.toUpperCase()}_STRANGER`, 'callTool', { name: `${service}_list_keys`, arguments: {} })

    expect(tools.value).toEqual([])
    expect(used.value['isError']).toBe(true)
  })

  it('may not speak for anybody, by RPC or by header', async () => {
    const onBehalfOf = { id: 'key_admin', kind: 'key', tenant: 'default', permissions: ['*'] }

    const called = await rpc('DB_STRANGER', 'list', {}, { onBehalfOf })
    const fetched = await rpc('DB_STRANGER', 'fetch', 'https://db.do/things', { headers: { 'x-dotdo-call': JSON.stringify({ onBehalfOf }) } })

    expect(called.error['code']).toBe('FORBIDDEN')
    expect(fetched.value['status']).toBe(403)
  })
})

describe('a Worker with props', () => {
  const admin = { id: 'key_admin', kind: 'key', tenant: 'default', permissions: ['*'] }

  it.each(OPERATIONS.filter(({ operation }) => operation.permission.includes(':')).map(({ service, name }) => [`${service}.${name}`, service, name] as const))(
    'but without the permission may not call %s',
    async (_title, service, name) => {
      const { error } = await rpc(`${service.toUpperCase()}_POWERLESS`, name, {})

      expect(error['code']).toBe('FORBIDDEN')
    },
  )

  it('but without the right to delegate may not speak for others', async () => {
    expect((await rpc('DB_ADMIN', 'list', {}, { onBehalfOf: admin })).error['code']).toBe('FORBIDDEN')
  })

  it('that may delegate reading does not write, whoever it speaks for', async () => {
    const read = await rpc('DB_READING_DELEGATE', 'list', {}, { onBehalfOf: admin })
    const write = await rpc('DB_READING_DELEGATE', 'upsert', { $type: 'Note' }, { onBehalfOf: admin })

    expect(read.error).toBeUndefined()
    expect(write.error['code']).toBe('FORBIDDEN')
  })

  it('cannot pose as another Worker, though it may delegate everything', async () => {
    const posing = { id: 'auth', kind: 'service', tenant: 'default', permissions: ['*'] }

    const { error } = await rpc('DB_DELEGATE', 'execute', { statements: [{ sql: 'select 1' }] }, { onBehalfOf: posing })

    expect(error['code']).toBe('FORBIDDEN')
  })

  it('executes no SQL in a person’s name', async () => {
    const { error } = await rpc('DB_DELEGATE', 'execute', { statements: [{ sql: 'select 1' }] }, { onBehalfOf: admin })

    expect(error).toMatchObject({ code: 'FORBIDDEN', hasCause: false })
  })

  it.each(['queue', 'scheduled', 'email', 'alarm', 'app', 'constructor', '#call', 'env', 'ctx', 'method'])('finds no way in by the name %s', async (method) => {
    const { value, error } = await rpc('DB_ADMIN', method, {})

    expect(value).toBeUndefined()
    expect(error).toBeDefined()
  })
})

import { testCall, testPrincipal } from '@dot-do/worker-kernel/testing'
import { ServiceError } from '@dot-do/worker-utils'
import { describe, expect, it } from 'vitest'
import type { Env } from '../src/env.ts'
import { listTools, servicesNamed, useTool } from '../src/tool-services.ts'

/** A service whose tools come over a network that may fail: it offers one tool and remembers what it was asked. */
function serviceOf(tool: string, failure?: Error) {
  const asked: unknown[] = []
  const answer = async <T>(value: T, ...args: unknown[]): Promise<T> => {
    asked.push(args)
    if (failure) throw failure
    return value
  }
  return {
    asked,
    tools: (...args: unknown[]) => answer([{ name: tool, description: '', inputSchema: { type: 'object' } }], ...args),
    callTool: (...args: unknown[]) => answer({ content: [{ type: 'text', text: tool }] }, ...args),
  }
}

function envOf(auth: ReturnType<typeof serviceOf>, db: ReturnType<typeof serviceOf>): Env {
  return { KEY_MODE: 'test', AUTH_SERVICE: auth, DB_SERVICE: db } as unknown as Env // mcp asks its services for tools only
}

const ALL = servicesNamed(undefined)

describe('the list of tools', () => {
  it('is every service’s, asked in the caller’s name', async () => {
    const [auth, db] = [serviceOf('auth_list_keys'), serviceOf('db_get')]
    const call = testCall({ env: envOf(auth, db), principal: testPrincipal(['things:read']) })

    const tools = await listTools(ALL, call)

    expect(tools.map(({ name }) => name)).toEqual(['auth_list_keys', 'db_get'])
    expect(db.asked).toEqual([[{}, { requestId: call.requestId, traceparent: call.traceparent, onBehalfOf: call.principal }]])
  })

  it('leaves out a service that does not answer, so that the others stay usable', async () => {
    const down = serviceOf('auth_list_keys', new ServiceError('UNAVAILABLE', 'The database cannot be reached'))

    const tools = await listTools(ALL, testCall({ env: envOf(down, serviceOf('db_get')) }))

    expect(tools.map(({ name }) => name)).toEqual(['db_get'])
  })

  it('is one service’s where only that is asked for', async () => {
    const auth = serviceOf('auth_list_keys')

    expect((await listTools(servicesNamed('db'), testCall({ env: envOf(auth, serviceOf('db_get')) }))).map(({ name }) => name)).toEqual(['db_get'])
    expect(auth.asked).toEqual([])
  })

  it.each(['gateway', 'mcp', 'constructor', '__proto__', ''])('is NOT_FOUND for %j, which has none', (name) => {
    expect(() => servicesNamed(name)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })
})

describe('using a tool', () => {
  const read = (text: string) => (JSON.parse(text) as { error: { code: string; message: string; requestId: string } }).error

  it('reaches the service whose name it begins with, and no other', async () => {
    const [auth, db] = [serviceOf('auth_list_keys'), serviceOf('db_get')]

    const { content } = await useTool(ALL, { name: 'db_get', arguments: { id: 'note' } }, testCall({ env: envOf(auth, db) }))

    expect(content).toEqual([{ type: 'text', text: 'db_get' }])
    expect(db.asked).toMatchObject([[{ name: 'db_get', arguments: { id: 'note' } }, {}]])
    expect(auth.asked).toEqual([])
  })

  it.each(['nothing_here', 'db', 'dbget', 'gateway_health', ''])('is a readable NOT_FOUND for %j', async (name) => {
    const { isError, content } = await useTool(ALL, { name }, testCall({ env: envOf(serviceOf('auth_x'), serviceOf('db_x')) }))

    expect(isError).toBe(true)
    expect(read((content[0] as { text: string }).text)).toMatchObject({ code: 'NOT_FOUND', requestId: 'req_test' })
  })

  it('does not reach a service other than the one that was asked for', async () => {
    const auth = serviceOf('auth_list_keys')

    const { isError } = await useTool(servicesNamed('db'), { name: 'auth_list_keys' }, testCall({ env: envOf(auth, serviceOf('db_get')) }))

    expect(isError).toBe(true)
    expect(auth.asked).toEqual([])
  })

  it.each([
    ['is down', new ServiceError('UNAVAILABLE', 'The database cannot be reached'), 'UNAVAILABLE', 'The database cannot be reached'],
    ['broke in a way nobody foresaw', new TypeError('secret is not a function'), 'INTERNAL', 'Something went wrong on our side'],
  ])('says so in a result when the service %s', async (_name, failure, code, message) => {
    const { isError, content } = await useTool(ALL, { name: 'db_get' }, testCall({ env: envOf(serviceOf('auth_x'), serviceOf('db_get', failure)) }))

    expect(isError).toBe(true)
    expect(read((content[0] as { text: string }).text)).toMatchObject({ code, message })
  })
})

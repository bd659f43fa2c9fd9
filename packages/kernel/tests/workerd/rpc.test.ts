import { refusesStrangers } from '@dot-do/worker-kernel/testing'
import type { Principal } from '@dot-do/worker-types'
import { env } from 'cloudflare:workers'
import { describe, expect, it } from 'vitest'
import { notes } from '../notes.ts'
import { NotesService } from './fixture/index.ts'

const alice: Principal = { id: 'user_alice', kind: 'user', tenant: 'default', permissions: ['notes:read', 'keys:read'] }

/** A method by a name that no type promises. */
async function call(binding: unknown, method: string, ...parameters: unknown[]): Promise<unknown> {
  return (binding as Record<string, (...parameters: unknown[]) => Promise<unknown>>)[method]?.(...parameters)
}

/** What a rejecting call rejects with, as the caller sees it. */
async function failureOf(pending: PromiseLike<unknown>): Promise<unknown> {
  try {
    return { answered: await pending }
  } catch (thrown) {
    return thrown
  }
}

describe('a method over a binding', () => {
  it('answers, stripped to what the contract promises', async () => {
    const written = await env.WRITER.create({ text: 'Hi' })

    expect(await env.READER.get({ id: written.id })).toEqual({ id: written.id, text: 'Hi' })
  })

  it('is called by whoever the props of the binding name, whatever it says', async () => {
    expect(await env.READER.whoAmI({}, { requestId: 'r-1' })).toMatchObject({
      id: 'reader',
      kind: 'service',
      permissions: ['notes:read'],
      via: 'rpc',
      requestId: 'r-1',
    })
  })

  it('carries on the trace', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

    const { traceparent } = await env.READER.whoAmI({}, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` })

    expect(traceparent).toMatch(new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`))
  })

  it('with a key is answered once', async () => {
    const options = { idempotencyKey: 'once' }

    expect(await env.WRITER.create({ text: 'a' }, options)).toEqual(await env.WRITER.create({ text: 'a' }, options))
    expect(await failureOf(env.WRITER.create({ text: 'b' }, options))).toMatchObject({ code: 'CONFLICT' })
  })

  it('speaks for others within the right to delegate', async () => {
    expect(await env.DELEGATE.whoAmI({}, { onBehalfOf: alice })).toMatchObject({ id: 'user_alice', kind: 'user', permissions: ['notes:read'] })
    expect(await failureOf(env.DELEGATE.create({ text: 'a' }, { onBehalfOf: alice }))).toMatchObject({ code: 'FORBIDDEN' })
    expect(await failureOf(env.DELEGATE.list({}))).toMatchObject({ code: 'FORBIDDEN' })
  })

  it.each([
    ['READER', alice],
    ['STRANGER', alice],
    ['DELEGATE', { ...alice, kind: 'service' as const }],
  ] as const)('is refused where %s speaks for others without the right to', async (binding, onBehalfOf) => {
    expect(await failureOf(env[binding].health({}, { onBehalfOf }))).toMatchObject({ code: 'FORBIDDEN' })
  })

  it('takes null for nothing said', async () => {
    expect(await call(env.READER, 'whoAmI', null, null)).toMatchObject({ id: 'reader' })
  })
})

describe('an error over a binding', () => {
  it('keeps its code, its sentence and its details', async () => {
    expect(await failureOf(env.READER.get({ id: 'none' }))).toMatchObject({ name: 'ServiceError', code: 'NOT_FOUND', message: 'No note none' })
    expect(await failureOf(call(env.READER, 'list', { limit: 'ten' }))).toMatchObject({
      code: 'INVALID',
      details: [{ path: 'limit', message: expect.any(String) }],
    })
  })

  it.each([
    ['stranger', 'INTERNAL'],
    ['upstream', 'UPSTREAM'],
    ['lies', 'INTERNAL'],
    ['missing', 'NOT_FOUND'],
  ] as const)('leaves its cause behind (%s)', async (how, code) => {
    const failure = await failureOf(env.READER.breaks({ how }))

    expect(failure).toMatchObject({ code })
    expect(failure).not.toHaveProperty('cause')
    expect((failure as Error).message).not.toContain('hunter2')
  })
})

describe('the tools over a binding', () => {
  it('are those the caller may use', async () => {
    const names = async (binding: 'STRANGER' | 'READER') => (await env[binding].tools({})).map(({ name }) => name)

    expect(await names('STRANGER')).toEqual([])
    expect(await names('READER')).toEqual(['notes_get', 'notes_list', 'notes_who_am_i', 'notes_breaks'])
  })

  it('are run with the authority of whoever is spoken for', async () => {
    expect(await env.DELEGATE.callTool({ name: 'notes_who_am_i' }, { onBehalfOf: alice })).toMatchObject({
      structuredContent: { id: 'user_alice', via: 'mcp' },
    })
    expect(await env.STRANGER.callTool({ name: 'notes_create', arguments: { text: 'a' } })).toMatchObject({ isError: true })
  })
})

describe('the class that bindings name', () => {
  it('refuses strangers with every method', async () => {
    const asStranger = (operation: string, stranger: Principal) =>
      stranger.kind === 'anonymous' ? call(env.STRANGER, operation, undefined) : call(env.DELEGATE, operation, undefined, { onBehalfOf: stranger })

    await expect(refusesStrangers(notes, asStranger)).resolves.toBeUndefined()
  })

  it('answers anyone what is public', async () => {
    expect(await env.STRANGER.health({})).toMatchObject({ status: 'ok' })
  })

  it.each(['invoke', 'call', 'runtime', '#invoke', '#call', '#runtime', 'method', 'env', 'ctx', 'service', 'contract', 'operations', 'queue', 'scheduled'])(
    'lets nobody call %s',
    async (name) => {
      const failure = await failureOf(call(env.WRITER, name, {}, {}))

      expect(failure).toBeInstanceOf(Error)
      expect((failure as Error).message).toMatch(/does not implement|is not a function/)
    },
  )

  it('has the operations, the tools and fetch, and nothing else', () => {
    const methods = [NotesService.prototype, Object.getPrototypeOf(NotesService.prototype) as object].flatMap((prototype) =>
      Object.getOwnPropertyNames(prototype),
    )

    expect([...new Set(methods)].sort()).toEqual(['callTool', 'constructor', 'fetch', 'tools', ...Object.keys(notes.operations)].sort())
  })
})

import { onBehalf, onward } from '@dot-do/worker-kernel/call'
import { ANONYMOUS, demand, isAllowed, principalOf } from '@dot-do/worker-kernel/identity'
import { invoke } from '@dot-do/worker-kernel/invoke'
import { refusesStrangers, testCall, testPrincipal } from '@dot-do/worker-kernel/testing'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import type { Principal } from '@dot-do/worker-types'
import { describe, expect, it } from 'vitest'
import { person, propsOf, service, surroundings, tools } from './harness.ts'
import { notes, type NotesEnv } from './notes.ts'

const user: Principal = { ...person('user_a', ['notes:read']), kind: 'user' }
const worker: Principal = { id: 'gateway', kind: 'service', tenant: 'default', permissions: ['notes:*'] }

describe('demand', () => {
  it.each<[string, Principal, string, 'allowed' | 'UNAUTHENTICATED' | 'FORBIDDEN']>([
    ['nobody', ANONYMOUS, 'public', 'allowed'],
    ['nobody', ANONYMOUS, 'authenticated', 'UNAUTHENTICATED'],
    ['nobody', ANONYMOUS, 'notes:read', 'UNAUTHENTICATED'],
    ['nobody, with permissions all the same', { ...ANONYMOUS, permissions: ['*'] }, 'notes:read', 'UNAUTHENTICATED'],
    ['a key without permissions', person('key_a', []), 'public', 'allowed'],
    ['a key without permissions', person('key_a', []), 'authenticated', 'allowed'],
    ['a key without permissions', person('key_a', []), 'notes:read', 'FORBIDDEN'],
    ['a key', person('key_a', ['notes:read']), 'notes:read', 'allowed'],
    ['a key', person('key_a', ['notes:read']), 'notes:write', 'FORBIDDEN'],
    ['a key with a narrowed permission', person('key_a', ['notes:read@db']), 'notes:read', 'FORBIDDEN'],
    ['a user', user, 'notes:read', 'allowed'],
    ['a user', user, 'notes:write', 'FORBIDDEN'],
    ['a service', worker, 'notes:write', 'allowed'],
    ['a service', worker, 'keys:read', 'FORBIDDEN'],
    ['an administrator', person('key_a', ['*']), 'keys:read', 'allowed'],
  ])('gives %s (%o) for %s: %s', (_, principal, permission, verdict) => {
    const attempt = () => demand(principal, permission)

    expect(isAllowed(principal, permission)).toBe(verdict === 'allowed')
    if (verdict === 'allowed') expect(attempt).not.toThrow()
    else expect(attempt).toThrow(expect.objectContaining({ code: verdict }))
  })
})

describe('a binding', () => {
  it.each([undefined, null, {}, 'gateway', { principal: null }, { principal: 'gateway' }])('with the props %j speaks for nobody', (props) => {
    expect(principalOf(props)).toEqual(ANONYMOUS)
  })

  it('is the service that its props name, in the default tenant unless told', () => {
    expect(principalOf(propsOf(['notes:read']))).toEqual({ id: 'caller', kind: 'service', tenant: 'default', permissions: ['notes:read'] })
    expect(principalOf({ principal: { id: 'caller', permissions: [], tenant: 'acme' } })).toMatchObject({ tenant: 'acme' })
  })

  it.each([['no props', undefined] as const, ['empty props', {}] as const, ['no right to delegate', propsOf(['*'])] as const])(
    'with %s may not speak for others',
    (_, props) => {
      expect(() => principalOf(props, user)).toThrow(expect.objectContaining({ code: 'FORBIDDEN', message: 'This binding may not speak for others' }))
    },
  )

  it.each<[string, unknown]>([
    ['a service', worker],
    ['a service that calls itself otherwise', { ...worker, kind: 'Service' }],
    ['a principal without kind', { id: 'a', tenant: 'default', permissions: ['*'] }],
    ['a principal without permissions', { id: 'a', kind: 'user', tenant: 'default' }],
    ['a principal whose permissions are text', { id: 'a', kind: 'user', tenant: 'default', permissions: '*' }],
    ['a name', 'user_a'],
    ['null', null],
  ])('may not speak for %s', (_, other) => {
    expect(() => principalOf(propsOf(['*'], ['*']), other as Principal)).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN', message: 'A binding may speak for keys and people only' }),
    )
  })

  it('that may delegate speaks for keys, people and nobody as they are', () => {
    for (const other of [user, person('key_a', ['*']), ANONYMOUS]) expect(principalOf(propsOf([], ['*']), other)).toEqual(other)
  })

  it.each([
    [['*'], ['notes:read'], ['notes:read']],
    [['notes:read', 'keys:write'], ['notes:*'], ['notes:read']],
    [['notes:*'], ['*:read'], ['notes:read']],
    [['keys:write'], ['notes:*'], []],
    [['*'], [], []],
  ])('lends someone with %j, by the right to %j, no more than %j', (theirs, delegable, both) => {
    expect(principalOf(propsOf(['*'], delegable), person('key_a', theirs)).permissions).toEqual(both)
  })
})

describe('what an operation hands on', () => {
  const call = testCall({ env: {}, idempotencyKey: 'k' })

  it('in its own name is the request and the trace alone', () => {
    expect(onward(call)).toEqual({ requestId: 'req_test', traceparent: call.traceparent })
  })

  it('in the name of its caller is also who that is, and the key', () => {
    expect(onBehalf(call)).toEqual({ ...onward(call), onBehalfOf: call.principal, idempotencyKey: 'k' })
    expect(onBehalf(testCall({ env: {} }))).not.toHaveProperty('idempotencyKey')
  })
})

describe('refusesStrangers', () => {
  const { env } = surroundings()
  const asCall = (principal: Principal) => testCall({ env, principal })

  it('finds nothing to say about the one way to an operation', async () => {
    const implemented = service as unknown as AnyImplemented<NotesEnv> // as every projection sees it

    await expect(
      refusesStrangers(notes, (operation, stranger) => invoke(implemented, { name: operation, gather: () => undefined }, asCall(stranger))),
    ).resolves.toBeUndefined()
  })

  it('names whoever answers a stranger or judges the input first', async () => {
    const careless = async (operation: string, stranger: Principal) => {
      if (operation === 'get') return {}
      if (operation === 'create') throw Object.assign(new Error('x'), { code: 'INVALID' })
      demand(stranger, operation === 'whoAmI' ? 'authenticated' : 'nothing:allowed')
    }

    const verdict = refusesStrangers(notes, careless)

    await expect(verdict).rejects.toThrow(
      [
        'notes.create gives anonymous INVALID, not UNAUTHENTICATED',
        'notes.create gives key INVALID, not FORBIDDEN',
        'notes.get gives anonymous an answer, not UNAUTHENTICATED',
        'notes.get gives key an answer, not FORBIDDEN',
      ].join('\n'),
    )
  })

  it('goes by what the tools of a stranger are as well', () => {
    expect(tools.list(ANONYMOUS)).toEqual([])
    expect(tools.list({ ...ANONYMOUS, permissions: ['*'] })).toEqual([])
    expect(tools.list(testPrincipal([])).map(({ name }) => name)).toEqual(['notes_who_am_i'])
  })
})

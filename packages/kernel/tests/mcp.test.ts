import { toolName } from '@dot-do/worker-kernel/mcp'
import { ANONYMOUS } from '@dot-do/worker-kernel/identity'
import { testCall, testPrincipal } from '@dot-do/worker-kernel/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { person, surroundings, tools } from './harness.ts'

describe('the list of tools', () => {
  it.each([
    [ANONYMOUS, []],
    [person('key_a', []), ['who_am_i']],
    [person('key_a', ['notes:read']), ['get', 'list', 'who_am_i', 'breaks']],
    [person('key_a', ['notes:write']), ['create', 'remove', 'who_am_i']],
    [person('key_a', ['keys:*']), ['who_am_i']],
    [person('key_a', ['*']), ['create', 'get', 'list', 'remove', 'who_am_i', 'breaks']],
  ])('shows %o only what it may use', (principal, names) => {
    expect(tools.list(principal).map(({ name }) => name)).toEqual(names.map((name) => `notes_${name}`))
  })

  it.each([
    ['notes', 'create', 'notes_create'],
    ['db', 'getThing', 'db_get_thing'],
    ['feature-flags', 'list', 'feature_flags_list'],
  ])('calls %s.%s %s', (service, operation, name) => {
    expect(toolName(service, operation)).toBe(name)
  })
})

describe('a tool', () => {
  function use(tool: string, input: unknown, permissions = ['*']) {
    const { env } = surroundings()
    env.store.notes.set('n', { id: 'n', text: 'Hi' })
    return tools.run(tool, input, testCall({ env, via: 'mcp', principal: testPrincipal(permissions) }))
  }

  it('answers as a value and as text', async () => {
    expect(await use('notes_get', { id: 'n' })).toEqual({
      content: [{ type: 'text', text: '{"id":"n","text":"Hi"}' }],
      structuredContent: { id: 'n', text: 'Hi' },
    })
  })

  it('knows that it was called by MCP', async () => {
    expect(await use('notes_who_am_i', undefined)).toMatchObject({ structuredContent: { via: 'mcp', id: 'key_test' } })
  })

  it.each([
    ['that is not there', 'notes_nothing', {}, 'NOT_FOUND', 'There is no tool notes_nothing'],
    ['of an operation that is not offered', 'notes_seal', { text: 'a' }, 'NOT_FOUND', 'There is no tool notes_seal'],
    ['by the name of the operation', 'get', { id: 'n' }, 'NOT_FOUND', 'There is no tool get'],
    ['whose input does not fit', 'notes_get', {}, 'INVALID', 'The input does not fit'],
    ['that finds nothing', 'notes_get', { id: 'x' }, 'NOT_FOUND', 'No note x'],
    ['that fails', 'notes_breaks', { how: 'stranger' }, 'INTERNAL', 'Something went wrong on our side'],
  ])('%s gives an error that an agent can read', async (_, tool, input, code, message) => {
    const spy = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => spy.mockRestore())

    const result = await use(tool, input)

    expect(result).toEqual({ isError: true, content: [{ type: 'text', text: expect.any(String) }] })
    expect(JSON.parse(result.content[0]?.text ?? '')).toMatchObject({ success: false, error: { code, message, requestId: 'req_test' } })
  })

  it('that is not in the list cannot be used either', async () => {
    const result = await use('notes_create', { text: 'a' }, ['notes:read'])

    expect(JSON.parse(result.content[0]?.text ?? '')).toMatchObject({ error: { code: 'FORBIDDEN' } })
  })
})

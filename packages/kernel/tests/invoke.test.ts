import { invoke } from '@dot-do/worker-kernel/invoke'
import { testCall, testPrincipal } from '@dot-do/worker-kernel/testing'
import { ServiceError } from '@dot-do/worker-utils'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { service as notesUnderTest, surroundings } from './harness.ts'
import type { NotesEnv } from './notes.ts'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'

const service = notesUnderTest as unknown as AnyImplemented<NotesEnv> // as every projection sees it

function stage(permissions = ['*']) {
  const { env } = surroundings()
  const call = testCall({ env, principal: testPrincipal(permissions) })
  return { env, call, run: (name: string, input?: unknown) => invoke(service, { name, gather: () => input }, call) }
}

function logged(): string[] {
  const lines: string[] = []
  const spy = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line))
  onTestFinished(() => spy.mockRestore())
  return lines
}

describe('invoke', () => {
  it('refuses a stranger before the input is gathered', async () => {
    const { call } = stage([])
    const gather = vi.fn(() => ({ text: 'a' }))

    const refused = invoke(service, { name: 'create', gather }, call)

    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'This needs the permission notes:write' })
    expect(gather).not.toHaveBeenCalled()
  })

  it('names every field that does not fit, and never repeats what it held', async () => {
    const { run } = stage()

    const refused = await run('create', { text: 5, tags: ['a', 7], hunter2: true }).catch((error: unknown) => error)

    expect(refused).toMatchObject({ code: 'INVALID', message: 'The input does not fit' })
    expect((refused as ServiceError).details?.map(({ path }) => path)).toEqual(['text', 'tags.1', 'hunter2'])
  })

  it.each([undefined, null])('takes %s for an empty input', async (input) => {
    const { run } = stage()

    await expect(run('whoAmI', input)).resolves.toMatchObject({ id: 'key_test' })
  })

  it.each([5, 'text', [], true])('refuses the input %j, which is no object', async (input) => {
    const { run } = stage()

    await expect(run('whoAmI', input)).rejects.toMatchObject({ code: 'INVALID', details: [{ path: '' }] })
  })

  it('fills in defaults before the operation runs', async () => {
    const { run } = stage()

    await expect(run('list', {})).resolves.toEqual({ asked: { limit: 20, deep: false, sizes: [] } })
  })

  it('strips what the contract does not promise from the answer', async () => {
    const { env, run } = stage()
    env.store.notes.set('n', { id: 'n', text: 'Hi' })

    await expect(run('get', { id: 'n' })).resolves.toEqual({ id: 'n', text: 'Hi' })
  })

  it('knows no operation that the contract does not have', async () => {
    const { run } = stage()

    await expect(run('nonsense', {})).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'notes has no operation nonsense' })
  })

  it('waits for an input that is still being read, and passes on why it could not be', async () => {
    const { call } = stage()

    await expect(invoke(service, { name: 'announce', gather: async () => ({ text: 'Hi' }) }, call)).resolves.toEqual({ heard: 'Hi' })
    await expect(invoke(service, { name: 'announce', gather: () => Promise.reject(new ServiceError('TOO_LARGE', 'Too much')) }, call)).rejects.toMatchObject({
      code: 'TOO_LARGE',
    })
  })
})

describe('a failure', () => {
  it.each([
    ['stranger', 'INTERNAL', 'Something went wrong on our side', 'hunter2 is the password'],
    ['upstream', 'UPSTREAM', 'The provider failed', 'hunter2 at provider'],
    ['lies', 'INTERNAL', 'Something went wrong on our side', 'The answer does not keep the contract'],
  ])('of ours (%s) is logged once with its cause, and told without it', async (how, code, message, cause) => {
    const { run } = stage()
    const lines = logged()

    const failure = await run('breaks', { how }).catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(ServiceError)
    expect(failure).toMatchObject({ code, message })
    expect(failure).not.toHaveProperty('cause')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      {
        event: 'operation_failed',
        level: 'error',
        service: 'notes',
        operation: 'breaks',
        principal: 'key_test',
        requestId: 'req_test',
        via: 'rpc',
        code,
        cause: { message: cause },
      },
    ])
  })

  it("tells the log which field of an answer breaks the contract, and not the answer's values", async () => {
    const { run } = stage()
    const lines = logged()

    await run('breaks', { how: 'lies' }).catch(() => undefined)

    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ cause: { cause: [{ path: 'ok' }] } })
    expect(lines[0]).not.toContain('hunter2')
  })

  it("of the asker's is not logged, keeps its details and loses its cause", async () => {
    const { run } = stage()
    const lines = logged()

    const failure = await run('breaks', { how: 'missing' }).catch((error: unknown) => error)

    expect(failure).toMatchObject({ code: 'NOT_FOUND', details: [{ path: 'how', message: 'is missing' }] })
    expect(failure).not.toHaveProperty('cause')
    expect(lines).toEqual([])
  })
})

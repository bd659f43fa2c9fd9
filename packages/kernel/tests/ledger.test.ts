import { invoke } from '@dot-do/worker-kernel/invoke'
import { implement, type AnyImplemented } from '@dot-do/worker-kernel/implement'
import { testCall, testPrincipal } from '@dot-do/worker-kernel/testing'
import { ServiceError } from '@dot-do/worker-utils'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { service as notesUnderTest, surroundings } from './harness.ts'
import { createStore, memoryLedger, notes, notesOperations, type NotesEnv, type Store } from './notes.ts'

const service = notesUnderTest as unknown as AnyImplemented<NotesEnv> // as every projection sees it

function stage() {
  const { env } = surroundings()
  const run = (name: string, input: object, about: { key?: string; by?: string } = {}) => {
    const { key, by = 'key_a' } = about
    const call = testCall({ env, principal: testPrincipal(['*'], { id: by }), ...(key === undefined ? {} : { idempotencyKey: key }) })
    return invoke(service, { name, gather: () => input }, call)
  }
  return { store: env.store, run }
}

/** Lets nobody on before all have come. */
function meeting(of: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let present = 0
  return () => {
    present += 1
    if (present === of) resolve()
    return promise
  }
}

describe('a keyed operation', () => {
  it('answers the same key and input with the first answer, without running again', async () => {
    const { store, run } = stage()
    const first = await run('create', { text: 'a', tags: ['x'] }, { key: 'k' })

    const second = await run('create', { tags: ['x'], text: 'a' }, { key: 'k' })

    expect(second).toEqual(first)
    expect(store.runs).toEqual(['create a'])
  })

  it('takes an input for the same when only its defaults are spelled out', async () => {
    const { store, run } = stage()
    await run('create', { text: 'a' }, { key: 'k' })

    await run('create', { text: 'a', tags: [] }, { key: 'k' })

    expect(store.runs).toEqual(['create a'])
  })

  it('refuses the same key for another input', async () => {
    const { store, run } = stage()
    await run('create', { text: 'a' }, { key: 'k' })

    const refused = run('create', { text: 'b' }, { key: 'k' })

    await expect(refused).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'Idempotency-Key', message: 'was used for another input' }] })
    expect(store.runs).toEqual(['create a'])
  })

  it('runs every time without a key', async () => {
    const { store, run } = stage()

    await run('create', { text: 'a' })
    await run('create', { text: 'a' })

    expect([store.runs.length, store.rows.size]).toEqual([2, 0])
  })

  it.each([
    ['principals', { key: 'k', by: 'key_b' }],
    ['keys', { key: 'l', by: 'key_a' }],
  ])('of different %s never meets', async (_, other) => {
    const { store, run } = stage()
    const first = await run('create', { text: 'a' }, { key: 'k', by: 'key_a' })

    const second = await run('create', { text: 'a' }, other)

    expect(second).not.toEqual(first)
    expect(store.runs.length).toBe(2)
  })

  it('never meets another operation under the same key', async () => {
    const { store, run } = stage()
    await run('create', { text: 'a' }, { key: 'k' })

    await run('seal', { text: 'a' }, { key: 'k' })

    expect(store.rows.size).toBe(2)
  })

  it('gives the loser of a race the answer of the winner', async () => {
    const { store, run } = stage()
    store.rivals = meeting(3)

    const answers = await Promise.all(['a', 'a', 'a'].map((text) => run('create', { text }, { key: 'k' })))

    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect([store.runs.length, store.notes.size]).toEqual([3, 1])
  })

  it('refuses the loser of a race that asked for something else', async () => {
    const { store, run } = stage()
    store.rivals = meeting(2)

    const answers = await Promise.allSettled(['a', 'b'].map((text) => run('create', { text }, { key: 'k' })))

    // Which of the two comes first, the digests of their inputs decide.
    const winners = answers.filter(({ status }) => status === 'fulfilled')
    const losers = answers.filter(({ status }) => status === 'rejected')
    expect(winners).toMatchObject([{ value: { text: [...store.notes.values()][0]?.text } }])
    expect(losers).toMatchObject([{ reason: { code: 'CONFLICT' } }])
    expect(store.notes.size).toBe(1)
  })

  it('that fails may be tried again with the same key', async () => {
    const { store, run } = stage()
    store.rows.set = () => {
      throw new ServiceError('UNAVAILABLE', 'The database cannot answer now')
    }
    const spy = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => spy.mockRestore())
    await expect(run('create', { text: 'a' }, { key: 'k' })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    Reflect.deleteProperty(store.rows, 'set')

    await expect(run('create', { text: 'a' }, { key: 'k' })).resolves.toMatchObject({ text: 'a' })
  })

  it('that forgets to commit its row is our fault, not the asker’s', async () => {
    const { run } = stage()
    const log = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => log.mockRestore())

    await expect(run('create', { text: 'forgetful' }, { key: 'k' })).rejects.toMatchObject({ code: 'INTERNAL' })

    expect(log).toHaveBeenCalledWith(expect.stringContaining('create is keyed but did not commit its ledger row'))
  })

  it('shows its secret once: it is not stored, and a replayed answer lacks it', async () => {
    const { store, run } = stage()

    const first = await run('seal', { text: 'a' }, { key: 'k' })
    const second = await run('seal', { text: 'a' }, { key: 'k' })

    expect(first).toEqual({ id: 'seal_1', text: 'a', key: 'hunter2' })
    expect(second).toEqual({ id: 'seal_1', text: 'a' })
    expect(JSON.stringify([...store.rows])).not.toContain('hunter2')
  })

  it.each([
    ['empty', ''],
    ['longer than 255 characters', 'k'.repeat(256)],
    ['not a text', 5 as unknown as string],
  ])('refuses a key that is %s', async (_, key) => {
    const { store, run } = stage()

    await expect(run('create', { text: 'a' }, { key })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'Idempotency-Key' }] })

    expect(store.runs).toEqual([])
  })

  it('takes a key of 255 characters', async () => {
    const { run } = stage()

    await expect(run('create', { text: 'a' }, { key: 'k'.repeat(255) })).resolves.toMatchObject({ text: 'a' })
  })

  it('judges permission and input before it looks at the key', async () => {
    const { env } = surroundings()
    const call = testCall({ env, principal: testPrincipal([]), idempotencyKey: '' })

    await expect(invoke(service, { name: 'create', gather: () => ({}) }, call)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(invoke(service, { name: 'create', gather: () => ({}) }, { ...call, principal: testPrincipal() })).rejects.toMatchObject({
      details: [{ path: 'text' }],
    })
  })
})

describe('an operation that is not keyed', () => {
  it('runs again under the same key', async () => {
    const { store, run } = stage()

    await run('remove', { id: 'a' }, { key: 'k' })
    await run('remove', { id: 'a' }, { key: 'k' })

    expect([store.runs.length, store.rows.size]).toEqual([2, 0])
  })
})

describe('implement', () => {
  const operations = notesOperations((env: NotesEnv) => env.store)
  const document = { openapi: '3.1.1', 'x-tools': [] }

  it('refuses a keyed contract without a ledger', () => {
    expect(() => implement(notes, operations, { document })).toThrow('notes.create is keyed, so notes needs a ledger')
  })

  it('joins contract, code, document and ledger', () => {
    const ledger = memoryLedger((store: Store) => store)

    expect(implement(notes, notesOperations(createStore), { document, ledger })).toMatchObject({ contract: notes, document, ledger })
  })
})

import { consumer } from '@dot-do/worker-kernel/queue'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { person, service, surroundings } from './harness.ts'

/** A batch as the runtime hands it over, with what became of each message. */
function batchOf(bodies: unknown[], attempts = 1) {
  const fates: unknown[] = []
  const messages = bodies.map((body, index) => ({
    id: String(index),
    timestamp: new Date(0),
    body,
    attempts,
    ack: () => void fates.push('ack'),
    retry: (options: unknown) => void fates.push(options),
  }))
  return { fates, batch: { queue: 'notes', messages, metadata: {} } as unknown as MessageBatch }
}

function message(operation: string, input: unknown, more: object = {}) {
  return { id: 'msg_1', operation, input, principal: person('key_a', ['notes:*']), ...more }
}

async function consume(bodies: unknown[], attempts?: number) {
  const { env } = surroundings()
  const { fates, batch } = batchOf(bodies, attempts)
  const log = vi.spyOn(console, 'error').mockReturnValue()
  onTestFinished(() => log.mockRestore())
  await consumer(service)(batch, env, { waitUntil: () => undefined } as unknown as ExecutionContext)
  return { env, fates, lines: log.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>) }
}

describe('a queue message', () => {
  it('is run with the authority it names and acknowledged', async () => {
    const { env, fates } = await consume([message('create', { text: 'a' })])

    expect(fates).toEqual(['ack'])
    expect([...env.store.notes.values()]).toEqual([{ id: 'note_1', text: 'a' }])
  })

  it('that arrives twice has its effect once', async () => {
    const { env, fates } = await consume([message('create', { text: 'a' }), message('create', { text: 'a' })])

    expect(fates).toEqual(['ack', 'ack'])
    expect(env.store.runs).toEqual(['create a'])
  })

  it.each([
    ['for an operation that is not queued', message('seal', { text: 'a' }), 'NOT_FOUND'],
    ['for an operation that is not there', message('nothing', {}), 'NOT_FOUND'],
    ['for a name that every object has', message('constructor', {}), 'NOT_FOUND'],
    ['without the permission', message('create', { text: 'a' }, { principal: person('key_a', ['notes:read']) }), 'FORBIDDEN'],
    ['of nobody', message('create', { text: 'a' }, { principal: { ...person('anonymous', ['*']), kind: 'anonymous' } }), 'UNAUTHENTICATED'],
    ['whose input does not fit', message('create', {}), 'INVALID'],
    ['without principal', { ...message('create', { text: 'a' }), principal: undefined }, 'INVALID'],
    ['with fields nobody knows', message('create', { text: 'a' }, { priority: 1 }), 'INVALID'],
    ['that is text', 'create', 'INVALID'],
    ['that is nothing', null, 'INVALID'],
  ])('%s is handed back at once, logged and has no effect', async (_, body, code) => {
    const { env, fates, lines } = await consume([body])

    expect(fates).toEqual([{ delaySeconds: 0 }])
    expect(lines).toMatchObject([{ event: 'message_failed', service: 'notes', queue: 'notes', message: '0', attempts: 1, code }])
    expect(env.store.runs).toEqual([])
  })

  it.each([
    [1, 2],
    [3, 8],
    [11, 2048],
    [12, 3600],
    [100, 3600],
  ])('that fails for now at attempt %i is tried again after %i s', async (attempts, delaySeconds) => {
    const { fates, batch } = batchOf([message('create', { text: 'a' })], attempts)
    const { env } = surroundings()
    env.store.rivals = () => Promise.reject(Object.assign(new Error('Later'), { code: 'UNAVAILABLE' }))
    const log = vi.spyOn(console, 'error').mockReturnValue()
    onTestFinished(() => log.mockRestore())

    await consumer(service)(batch, env, { waitUntil: () => undefined } as unknown as ExecutionContext)

    expect(fates).toEqual([{ delaySeconds }])
  })

  it('that fails keeps none behind it from running', async () => {
    const { env, fates } = await consume([null, message('create', { text: 'a' }), message('remove', { id: 'a' }, { id: 'msg_2' })])

    expect(fates).toEqual([{ delaySeconds: 0 }, 'ack', 'ack'])
    expect(env.store.runs).toEqual(['create a', 'remove a'])
  })
})

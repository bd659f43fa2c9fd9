import { callRow, eventBuffer, trackCalls, type EventLines } from '@dot-do/worker-data/tracking'
import { testCall, testPrincipal } from '@dot-do/worker-kernel/testing'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-21T09:30:00Z') }))
afterEach(() => void vi.useRealTimers())

const row = { type: 'call', at: 1, ns: 'acme', principal: 'key_1' }

function stage(send?: (lines: EventLines) => Promise<unknown>) {
  const sent: EventLines[] = []
  const deferred: Promise<unknown>[] = []
  const buffer = eventBuffer<object>((lines) => (send ? send(lines) : Promise.resolve(void sent.push(lines))))
  return { sent, deferred, add: () => buffer(row, { env: {}, waitUntil: (promise) => void deferred.push(promise) }) }
}

const parsed = ({ lines }: EventLines) =>
  lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

describe('a buffer of events', () => {
  it('sends what came within a second together, each with an id of its own', async () => {
    const { sent, add } = stage()
    add()
    add()

    await vi.advanceTimersByTimeAsync(999)
    expect(sent).toEqual([])
    await vi.advanceTimersByTimeAsync(1)

    const [batch, ...others] = sent
    expect(others).toEqual([])
    expect(batch?.events).toBe(2)
    expect(batch && parsed(batch)).toEqual([
      { id: expect.stringMatching(/^evt_\w{26}_0$/), ...row },
      { id: expect.stringMatching(/^evt_\w{26}_1$/), ...row },
    ])
  })

  it('sends 256 at once, and the next second’s by themselves', async () => {
    const { sent, add } = stage()
    for (let count = 0; count < 300; count++) add()

    await vi.advanceTimersByTimeAsync(0)
    expect(sent.map(({ events }) => events)).toEqual([256])
    await vi.advanceTimersByTimeAsync(1_000)
    add()
    await vi.advanceTimersByTimeAsync(1_000)

    expect(sent.map(({ events }) => events)).toEqual([256, 44, 1])
    expect(new Set(sent.flatMap(parsed).map(({ id }) => id)).size).toBe(301)
  })

  it('begins another sending when the one that was begun was cut off with its request', async () => {
    const sent: EventLines[] = []
    const buffer = eventBuffer<object>((lines) => Promise.resolve(void sent.push(lines)))
    buffer(row, { env: {}, waitUntil: () => vi.clearAllTimers() })
    vi.setSystemTime(Date.now() + 1_000)

    buffer(row, { env: {}, waitUntil: () => {} })
    await vi.advanceTimersByTimeAsync(1_000)

    expect(sent.map(({ events }) => events)).toEqual([2])
  })

  it('loses what cannot be sent, says how many, and goes on', async () => {
    const lines: string[] = []
    const spy = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line))
    onTestFinished(() => spy.mockRestore())
    const send = vi.fn(() => Promise.reject(new Error('hunter2')))
    const { deferred, add } = stage(send)
    add()
    add()

    await vi.advanceTimersByTimeAsync(1_000)
    add()
    await vi.advanceTimersByTimeAsync(1_000)

    await expect(Promise.all(deferred)).resolves.toHaveLength(2)
    expect(send).toHaveBeenCalledTimes(2)
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { event: 'events_lost', count: 2, code: 'INTERNAL' },
      { event: 'events_lost', count: 1 },
    ])
    expect(lines.join()).not.toContain('hunter2')
  })
})

describe('a tracked call', () => {
  it('belongs to its principal’s namespace and began when it did', () => {
    const call = testCall({ env: {}, principal: testPrincipal([], { id: 'key_1', tenant: 'acme' }), via: 'mcp', requestId: 'req_1' })

    expect(callRow('notes', { operation: 'get', status: 404, durationMs: 250 }, call)).toEqual({
      type: 'call',
      at: Date.parse('2026-11-21T09:29:59.750Z'),
      ns: 'acme',
      service: 'notes',
      operation: 'get',
      principal: 'key_1',
      via: 'mcp',
      status: 404,
      duration_ms: 250,
      request_id: 'req_1',
    })
  })

  it('goes to db behind the answer', async () => {
    const trackLines = vi.fn(({ events }: EventLines) => Promise.resolve({ accepted: events }))
    const waitUntil = vi.fn()
    const observe = trackCalls<{ DB_SERVICE: { trackLines: typeof trackLines } }>('notes')

    observe({ operation: 'get', status: 200, durationMs: 0 }, testCall({ env: { DB_SERVICE: { trackLines } }, waitUntil }))
    expect(trackLines).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1_000)

    expect(waitUntil).toHaveBeenCalledOnce()
    expect(trackLines).toHaveBeenCalledExactlyOnceWith({ events: 1, lines: expect.stringContaining('"operation":"get"') })
  })
})

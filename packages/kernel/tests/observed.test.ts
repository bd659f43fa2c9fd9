import { implement, type AnyImplemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import { testCall, testPrincipal } from '@dot-do/worker-kernel/testing'
import { ServiceError } from '@dot-do/worker-utils'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { command, contract } from '@dot-do/worker-contracts/contract'
import { health } from '@dot-do/worker-contracts/health'
import * as z from 'zod'

const lamps = contract(
  'lamps',
  { summary: 'Lamps', version: '1.0.0' },
  {
    health,
    light: command({
      summary: 'Light one',
      input: z.object({ name: z.string() }),
      output: z.object({ lit: z.boolean() }),
      permission: 'lamps:light',
      repeat: 'natural',
    }),
  },
)

function room(light: () => Promise<{ lit: boolean }>, permissions = ['lamps:light']) {
  const observed = vi.fn()
  const status = { status: 'ok', service: 'lamps', version: '1.0.0', checks: {} } as const
  const service = implement(lamps, { health: () => status, light }, { document: { openapi: '', 'x-tools': [] }, observed }) as unknown as AnyImplemented<object> // as every projection sees it
  const call = testCall({ env: {}, principal: testPrincipal(permissions) })
  return { observed, call, run: (input: unknown, name = 'light') => invoke(service, { name, gather: () => input }, call) }
}

describe('whoever observes a service', () => {
  it('is told once of a call that went well, and how long it took', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { observed, call, run } = room(async () => {
      await vi.advanceTimersByTimeAsync(70)
      return { lit: true }
    })

    await run({ name: 'hall' })

    expect(observed).toHaveBeenCalledExactlyOnceWith({ operation: 'light', status: 200, durationMs: 70 }, call)
  })

  it.each([
    ['the operation', { name: 'hall' }, ['*'], 409],
    ['the input', {}, ['*'], 400],
    ['the permission', { name: 'hall' }, [], 403],
  ])('is told once of a call that failed by %s, with its status', async (_why, input, permissions, status) => {
    const { observed, run } = room(() => Promise.reject(new ServiceError('CONFLICT', 'It is lit')), permissions)

    await expect(run(input)).rejects.toBeInstanceOf(ServiceError)

    expect(observed).toHaveBeenCalledOnce()
    expect(observed.mock.lastCall?.[0]).toMatchObject({ operation: 'light', status })
  })

  it('is told INTERNAL of what nobody foresaw', async () => {
    const silenced = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => silenced.mockRestore())
    const { observed, run } = room(() => Promise.reject(new Error('hunter2')))

    await expect(run({ name: 'hall' })).rejects.toMatchObject({ code: 'INTERNAL' })

    expect(observed.mock.lastCall?.[0]).toMatchObject({ operation: 'light', status: 500 })
  })
})

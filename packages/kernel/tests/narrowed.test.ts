import { command, contract, query } from '@dot-do/worker-contracts/contract'
import { implement, type AnyImplemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import { mcp } from '@dot-do/worker-kernel/mcp'
import { openapi } from '@dot-do/worker-kernel/openapi'
import { testCall, testPrincipal } from '@dot-do/worker-kernel/testing'
import { ServiceError } from '@dot-do/worker-utils'
import { describe, expect, it, vi } from 'vitest'
import * as z from 'zod'

const target = z.object({ service: z.string(), tenant: z.string().optional() })

const ships = contract(
  'ships',
  { summary: 'Ships', version: '1.0.0' },
  {
    launch: command({
      summary: 'Launch a ship',
      input: target,
      output: z.object({ launched: z.string() }),
      permission: 'ships:launch',
      resource: ({ service, tenant }, asker) => ({ service, environment: 'production', tenant: tenant ?? asker.tenant }),
      repeat: 'natural',
      tool: true,
    }),
    look: query({ summary: 'Look at a ship', input: target, output: z.object({}), permission: 'ships:look', resource: ({ service }) => ({ service }) }),
  },
)

function harbour(permissions: string[], tenant = 'default') {
  const refused = vi.fn(() => Promise.resolve())
  const launch = ({ service }: { service: string }) => {
    if (service === 'leaky') throw new ServiceError('CONFLICT', 'It leaks')
    return { launched: service }
  }
  const service = implement(
    ships,
    { launch, look: () => ({}) },
    { document: { openapi: '3.1.1', ...openapi(ships), 'x-tools': openapi(ships)['x-tools'] }, refused },
  )
  const call = testCall({ env: {}, principal: testPrincipal(permissions, { tenant }) })
  const run = (name: string, input: unknown) => invoke(service as unknown as AnyImplemented<object>, { name, gather: () => input }, call)
  return { refused, run, call, tools: mcp(service).list(call.principal) }
}

describe('a permission that may be narrowed', () => {
  it.each([
    [['ships:launch'], 'default', { service: 'ark' }],
    [['ships:launch@ark'], 'default', { service: 'ark' }],
    [['ships:launch@ark/production/acme'], 'acme', { service: 'ark' }],
    [['ships:launch@*/*/acme'], 'default', { service: 'ark', tenant: 'acme' }],
    [['*'], 'default', { service: 'ark', tenant: 'acme' }],
  ])('%j of tenant %s launches %j', async (permissions, tenant, input) => {
    await expect(harbour(permissions, tenant).run('launch', input)).resolves.toEqual({ launched: 'ark' })
  })

  it.each([
    [['ships:launch@bark'], 'default', 'ships:launch@ark/production/default'],
    [['ships:launch@ark/staging'], 'default', 'ships:launch@ark/production/default'],
    [['ships:launch@ark/production/acme'], 'default', 'ships:launch@ark/production/default'],
    [['ships:look@ark'], 'default', 'ships:launch'],
    [[], 'default', 'ships:launch'],
  ])('%j of tenant %s does not launch the ark, and is told what is missing', async (permissions, tenant, missing) => {
    await expect(harbour(permissions, tenant).run('launch', { service: 'ark' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: `This needs the permission ${missing}`,
    })
  })

  it('is enough to be told what a good question looks like, and none at all is not', async () => {
    await expect(harbour(['ships:launch@bark']).run('launch', {})).rejects.toMatchObject({ code: 'INVALID' })
    await expect(harbour(['ships:look']).run('launch', {})).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  it('shows the tool to whoever may use it for something', () => {
    expect(harbour(['ships:launch@ark/production/acme']).tools.map(({ name }) => name)).toEqual(['ships_launch'])
    expect(harbour(['ships:look']).tools).toEqual([])
  })
})

describe('a command that failed or was refused', () => {
  it.each([
    ['for want of the permission', [], { service: 'ark' }, 'FORBIDDEN'],
    ['for want of the narrowed one', ['ships:launch@bark'], { service: 'ark' }, 'FORBIDDEN'],
    ['for its input', ['*'], { service: 5 }, 'INVALID'],
    ['by the operation', ['*'], { service: 'leaky' }, 'CONFLICT'],
  ])('is told to the service before the caller: %s', async (_why, permissions, input, code) => {
    const { refused, run, call } = harbour(permissions)

    await expect(run('launch', input)).rejects.toMatchObject({ code })

    expect(refused).toHaveBeenCalledExactlyOnceWith('launch', expect.objectContaining({ code }), call)
  })

  it('is not told of when it was only a question, went well, or nobody known asked', async () => {
    const { refused, run } = harbour(['ships:launch'])
    await run('launch', { service: 'ark' })
    await expect(run('look', { service: 'ark' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(refused).not.toHaveBeenCalled()
  })

  it('is not told of strangers, who could fill whatever writes it down', async () => {
    const { refused, call } = harbour([])
    const service = implement(ships, { launch: () => ({ launched: '' }), look: () => ({}) }, { document: { openapi: '', 'x-tools': [] }, refused })
    const stranger = { ...call, principal: testPrincipal([], { kind: 'anonymous' }) }

    await expect(invoke(service as unknown as AnyImplemented<object>, { name: 'launch', gather: () => ({}) }, stranger)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    })

    expect(refused).not.toHaveBeenCalled()
  })
})

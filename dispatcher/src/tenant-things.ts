import { db, type Db } from '@dot-do/worker-contracts/db'
import type { CallOptions } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import * as z from 'zod'
import { argument, type TenantProps } from './tenant-props.ts'

/** The most that published code may do with things; the binding of db delegates no more. */
const PERMISSIONS = ['things:read', 'things:write']

/** What published code may do with its tenant's things: every operation of db that needs one of these permissions. */
export const THING_OPERATIONS: readonly string[] = Object.entries(db.operations)
  .filter(([, { permission }]) => PERMISSIONS.includes(permission))
  .map(([name]) => name)

const Input = z.record(z.string(), z.unknown(), 'must be an object, such as { id: "notes/1" }').default({})
const Options = z.strictObject({ idempotencyKey: z.string().min(1).max(255).optional() }).default({})
const Commands = z.array(z.looseObject({ input: z.record(z.string(), z.unknown()) })).max(100)

/** Runs an operation on a tenant's things in the name of one of its workers. Another tenant's are out of reach, whatever the input says. */
export async function runOnThings(name: string, [input, options]: readonly unknown[], { props, things }: { props: TenantProps; things: Db }): Promise<unknown> {
  const { tenant, worker } = props
  const { idempotencyKey } = argument(Options, options, 'options')
  const call: CallOptions = {
    onBehalfOf: { id: `worker:${tenant}/${worker}`, kind: 'key', tenant, permissions: PERMISSIONS },
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  }
  const operations = things as unknown as Record<string, (input: unknown, call: CallOptions) => Promise<unknown>> // the contract's operations; db itself checks the input
  if (!THING_OPERATIONS.includes(name)) throw new ServiceError('NOT_FOUND', `This binding has no operation ${name}`)
  const given = argument(Input, input, 'input')
  // A binding's methods are stubs: anything but calling them straight away, `.call` for one, would be a call of its own.
  return operations[name]?.(name === 'batch' ? ofTenantEach(given, tenant) : ofTenant(given, tenant), call)
}

function ofTenantEach(input: Record<string, unknown>, tenant: string): Record<string, unknown> {
  const commands = argument(Commands, input['commands'], 'input.commands')
  return { ...input, commands: commands.map((command) => ({ ...command, input: ofTenant(command.input, tenant) })) }
}

function ofTenant(input: Record<string, unknown>, tenant: string): Record<string, unknown> {
  const { ns } = input
  if (ns !== undefined && ns !== tenant)
    throw new ServiceError('INVALID', 'input.ns: is not yours; leave it out', { details: [{ path: 'input.ns', message: 'is not yours; leave it out' }] })
  return { ...input, ns: tenant }
}

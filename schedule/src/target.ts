import { auth } from '@dot-do/worker-contracts/auth'
import type { AnyOperation, Contract } from '@dot-do/worker-contracts/contract'
import { db } from '@dot-do/worker-contracts/db'
import { deploy } from '@dot-do/worker-contracts/deploy'
import { dispatcher } from '@dot-do/worker-contracts/dispatcher'
import { INLINE_PAYLOAD_BYTES } from '@dot-do/worker-contracts/job'
import { jobTarget } from '@dot-do/worker-contracts/job-types'
import { schedule } from '@dot-do/worker-contracts/schedule'
import type { Target as TargetSchema } from '@dot-do/worker-contracts/task'
import { beforeInput, demand } from '@dot-do/worker-kernel/identity'
import { detailsOf } from '@dot-do/worker-schemas'
import type { Principal } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import { isPrivateHost } from '@dot-do/worker-utils/private-host'
import type * as z from 'zod'

/** What a task does when it is due. */
export type Target = z.output<typeof TargetSchema>

/** The services that schedule itself calls. All others do what jobs ask of them. */
export const CALLABLE: Readonly<Record<string, Contract>> = { auth, db, deploy, dispatcher, schedule }

/** A call or a request may take so long, in seconds: longer work is a job. */
export const MAX_CALL_SECONDS = 600

/** What a target asks of a contract: the operation, and with what. */
interface Asking {
  operation: AnyOperation
  /** Where the target says it. */
  path: 'type' | 'operation'
  input: Record<string, unknown>
  inputPath: 'payload' | 'input'
}

/** Throws where somebody may not have this done, or it could not be done at all; INVALID names the field. */
export function refuseTarget(target: Target, principal: Principal, timeoutSeconds: number): void {
  if (target.kind !== 'job' && timeoutSeconds > MAX_CALL_SECONDS) {
    throw refusal('timeoutSeconds', `must be at most ${MAX_CALL_SECONDS} unless the target is a job`)
  }
  if (target.kind === 'http') return refuseRequest(target)
  const asking = askingOf(target)
  const { operation } = asking
  demand(principal, operation.permission, beforeInput(operation))
  const parsed = parseInput(asking)
  if (operation.resource) demand(principal, operation.permission, operation.resource(parsed, principal))
}

/** Why a target cannot be done any more, without asking anybody: its handler is gone, or its input no longer fits the contract. */
export function problemOf(target: Target): ServiceError | undefined {
  try {
    if (target.kind !== 'http') parseInput(askingOf(target))
    return undefined
  } catch (thrown) {
    if (thrown instanceof ServiceError) return thrown
    throw thrown
  }
}

/** The target with other arguments put over its own, field by field; of a request, they are its body. */
export function withArguments(target: Target, given: Record<string, unknown> | null | undefined): Target {
  if (!given) return target
  if (target.kind === 'job') return { ...target, payload: { ...target.payload, ...given } }
  if (target.kind === 'operation') return { ...target, input: { ...target.input, ...given } }
  return { ...target, headers: { 'Content-Type': 'application/json', ...target.headers }, body: JSON.stringify(given) }
}

/** Whether what a target does takes the time it is done for. */
export function takesTime(target: Target): boolean {
  return target.kind !== 'http' && 'scheduledFor' in (operationOf(target)?.input.shape ?? {})
}

/** What a target is found by in lists: a type of job, an operation or a URL. */
export function subjectOf(target: Target): string {
  return target.kind === 'job' ? target.type : target.kind === 'operation' ? target.operation : target.url
}

function operationOf(target: Exclude<Target, { kind: 'http' }>): AnyOperation | undefined {
  if (target.kind === 'job') return jobTarget(target.type)?.operation
  const [service = '', name = ''] = target.operation.split('.')
  if (!Object.hasOwn(CALLABLE, service)) return undefined
  const operations = CALLABLE[service]?.operations ?? {}
  return Object.hasOwn(operations, name) ? operations[name] : undefined
}

function askingOf(target: Exclude<Target, { kind: 'http' }>): Asking {
  const operation = operationOf(target)
  if (target.kind === 'job') {
    if (!operation) throw refusal('target.type', `no service offers ${target.type} to the queue`)
    return { operation, path: 'type', input: target.payload, inputPath: 'payload' }
  }
  if (!operation) throw refusal('target.operation', `${target.operation} is none of ${Object.keys(CALLABLE).join(', ')}; of another service, make it a job`)
  if (operation.repeat === 'unsafe') throw refusal('target.operation', `${target.operation} would happen twice if it were called twice`)
  return { operation, path: 'operation', input: target.input, inputPath: 'input' }
}

function parseInput({ operation, input, inputPath }: Asking): never {
  const parsed = operation.input.safeParse(input)
  if (!parsed.success) {
    const details = detailsOf(parsed.error as z.ZodError).map(({ path, message }) => ({ path: `target.${inputPath}${path === '' ? '' : `.${path}`}`, message }))
    throw new ServiceError('INVALID', `The ${inputPath} does not fit: ${details.map(({ path, message }) => `${path}: ${message}`).join('; ')}`.slice(0, 1000), {
      details,
    })
  }
  if (new TextEncoder().encode(JSON.stringify(input)).length > INLINE_PAYLOAD_BYTES) throw refusal(`target.${inputPath}`, 'must be at most 128 KiB')
  return parsed.data as never // each operation's resource takes what its own schema parsed
}

function refuseRequest({ url, method, body, headers }: Extract<Target, { kind: 'http' }>): void {
  const { hostname, username, password } = new URL(url)
  if (isPrivateHost(hostname)) throw refusal('target.url', `${hostname} is a private address`)
  if (username !== '' || password !== '') throw refusal('target.url', 'must not hold a user or a password')
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) throw refusal('target.body', `must be absent with ${method}`)
  try {
    new Headers(headers)
  } catch {
    throw refusal('target.headers', 'must be names and values of HTTP')
  }
}

function refusal(path: string, message: string): ServiceError {
  return new ServiceError('INVALID', `${path}: ${message}`, { details: [{ path, message }] })
}

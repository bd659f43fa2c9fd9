import { jobTarget, type JobTarget } from '@dot-do/worker-contracts/job-types'
import type { Call } from '@dot-do/worker-kernel/call'
import { demand } from '@dot-do/worker-kernel/identity'
import { detailsOf } from '@dot-do/worker-schemas'
import type { ErrorDetail } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { servicePrincipal } from './callers.ts'
import type { Env } from './env.ts'

/** A time that passed a moment ago is now; one that passed before is a mistake. */
const PAST_MS = 60_000

/** Nobody plans further ahead. */
const AHEAD_MS = 157_680_000_000

/** What is asked for, as far as it can be wrong by itself. */
export interface Asked {
  type: string
  payload?: Record<string, unknown>
  runAt?: string | undefined
  delaySeconds?: number | undefined
  group?: string | undefined
  groupConcurrency?: number | undefined
  uniqueKey?: string | undefined
  uniqueForSeconds?: number | undefined
}

/** Finds what a job does, and refuses whoever may not do that, and what the operation would not take. `path` is where the job stands in the input: '' or 'jobs.3.'. */
export function checkJob(asked: Asked, path: string, call: Call<Env>): JobTarget {
  const target = jobTarget(asked.type)
  if (!target) throw invalid(`${path}type`, `${asked.type} is nothing that a job can do; GET /types tells what is`)
  const { operation } = target
  if (call.principal.kind === 'service') servicePrincipal(call.principal, target, call.env)
  const parsed = operation.input.safeParse(asked.payload ?? {})
  // Who may not do it learns nothing about what it takes.
  demand(
    call.principal,
    operation.permission,
    parsed.success ? (operation.resource?.(parsed.data as never, call.principal) ?? {}) : operation.resource ? 'unknown' : {},
  ) // each operation takes what its own schema parsed
  if (!parsed.success)
    throw refusal(
      detailsOf(parsed.error as z.ZodError).map(({ path: inner, message }) => ({ path: `${path}payload${inner === '' ? '' : '.'}${inner}`, message })),
    )
  checkCombination(asked, path)
  return target
}

/** Until when the job waits; refuses a time in the past or too far ahead. */
export function dueAt({ runAt, delaySeconds }: Asked, path: string, now: number): string {
  if (runAt === undefined) return new Date(now + (delaySeconds ?? 0) * 1000).toISOString()
  const at = Date.parse(runAt)
  if (at < now - PAST_MS) throw invalid(`${path}runAt`, 'is in the past')
  if (at > now + AHEAD_MS) throw invalid(`${path}runAt`, 'is more than five years ahead')
  return new Date(Math.max(at, now)).toISOString()
}

function checkCombination({ runAt, delaySeconds, group, groupConcurrency, uniqueKey, uniqueForSeconds }: Asked, path: string): void {
  if (runAt !== undefined && delaySeconds !== undefined) throw invalid(`${path}delaySeconds`, 'is said besides runAt; one of them says when')
  if (groupConcurrency !== undefined && group === undefined) throw invalid(`${path}groupConcurrency`, 'needs a group')
  if (uniqueForSeconds !== undefined && uniqueKey === undefined) throw invalid(`${path}uniqueForSeconds`, 'needs a uniqueKey')
}

function invalid(path: string, message: string): ServiceError {
  return refusal([{ path, message }])
}

function refusal(details: ErrorDetail[]): ServiceError {
  return new ServiceError('INVALID', 'The job does not fit', { details })
}

import type { Environment } from '@dot-do/worker-contracts/published'
import type { Call } from '@dot-do/worker-kernel/call'
import { createLog } from '@dot-do/worker-utils'
import { CountBatches } from './count-batches.ts'
import type { Env } from './env.ts'
import { forgetPointer, pointerOf } from './pointers.ts'

/** One canary, wherever it is counted. */
interface CanaryName {
  tenant: string
  worker: string
  environment: Environment
  version: number
  startedAt: string
}

const batches = new CountBatches()

/** Counts what a canary answered, and tells its object: at once of errors, of everything within a second. */
export function reportCanary({ tenant, worker, environment, version, startedAt }: CanaryName, isError: boolean, call: Call<Env>): void {
  const named = { tenant, worker }
  const key = `${tenant}/${worker}/${environment}/${version}/${startedAt}`
  const send = async (counts: { requests: number; errors: number }) => {
    const slot = await pointerOf(named, call.env).count(environment, { version, startedAt, ...counts })
    if (slot.canary?.startedAt !== startedAt) forgetPointer(named)
  }
  const sent = batches.add(key, isError, send)
  if (sent) call.waitUntil(sent.catch((cause: unknown) => createLog(call.env.LOG_LEVEL)('warn', 'canary_not_counted', { tenant, worker, version, cause })))
}

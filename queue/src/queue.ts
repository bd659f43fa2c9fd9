import { callOf, type Call } from '@dot-do/worker-kernel/call'
import { consumer } from '@dot-do/worker-kernel/queue'
import { log, toServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { hinted, isLane, type Lane } from './hint.ts'
import { LaneRunner } from './lane-runner.ts'
import { OWN } from './own.ts'
import { service } from './service.ts'

const own = consumer(service)

/** More runners than this at a time are not begun in one isolate before some of them are done. */
const MAX_RUNNERS = 20

const runners = new Set<LaneRunner>()

/** What lies in the lanes is run; what nobody could look at is let go, since the table still has it; the rest is for the operations. */
export async function queue(batch: MessageBatch, env: Env, ctx: ExecutionContext): Promise<void> {
  if (isLane(batch.queue)) return runLane(batch, batch.queue, callOf({ env, props: OWN, waitUntil: (promise) => ctx.waitUntil(promise) }, 'queue'))
  if (batch.queue !== 'jobs-dlq') return own(batch, env, ctx)
  log('warn', 'hints_given_up', { hints: batch.messages.length })
}

/**
 * Takes further hints as soon as all of these were looked at and the hold is over. On Cloudflare that is when the jobs are done, and further consumers begin by themselves; a runtime
 * that has one consumer holds shorter, so that a slow job keeps nobody waiting.
 */
async function runLane(batch: MessageBatch, lane: Lane, call: Call<Env>): Promise<void> {
  const runner = new LaneRunner(
    batch.messages.flatMap(({ body }) => hinted(body)),
    lane,
    call,
  )
  runners.add(runner)
  const done = runner.run().finally(() => runners.delete(runner))
  call.waitUntil(done.catch(logFailure))
  await runner.begun
  if (runners.size > MAX_RUNNERS) return done
  const hold = Promise.withResolvers<void>()
  const timer = setTimeout(hold.resolve, Number(call.env.LANE_HOLD_SECONDS) * 1000)
  await Promise.race([done, hold.promise]).finally(() => clearTimeout(timer))
}

function logFailure(thrown: unknown): void {
  const { code, message, cause } = toServiceError(thrown)
  log('error', 'lane_failed', { code, message, cause })
}

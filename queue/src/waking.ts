import type { Call } from '@dot-do/worker-kernel/call'
import { log, toServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { askFunction } from './functions.ts'
import { sendHints, type Woken } from './hint.ts'

/** So many jobs are woken at once, and so many are looked for that nobody woke. */
const MAX_WOKEN = 10_000

/** The one Waker there is. */
export function waker({ Wakers }: Pick<Env, 'Wakers'>): ReturnType<Env['Wakers']['getByName']> {
  return Wakers.getByName('waker')
}

/** Lets the Waker look at the queue at a time, or before. */
export function wakeBy(time: string, call: Call<Env>): void {
  call.waitUntil(
    waker(call.env)
      .wakeBy(time)
      .catch((thrown: unknown) => unwoken(thrown, call)),
  )
}

/** Lets lanes look at jobs, once what put them there is committed. What gets lost is found within a minute. */
export function wakeLanes(woken: readonly Woken[], call: Call<Env>): void {
  if (woken.length > 0) call.waitUntil(sendHints(woken, call.env).catch((thrown: unknown) => unwoken(thrown, call)))
}

/** Makes due what is due, lets the lanes know, and answers when the next time comes; null where there is none. */
export async function wakeDue(call: Call<Env>): Promise<string | null> {
  const answer = await askFunction('wake', [new Date().toISOString(), MAX_WOKEN], call)
  const { woken, wake_at } = answer as { woken: Woken[]; wake_at: string | null } // as migrations/0002_running.sql has it
  await sendHints(woken, call.env)
  return wake_at
}

/** Lets the lanes know of jobs that have been due for a while. They may be on their way already: to look at one twice does no harm. */
export async function wakeForgotten(call: Call<Env>): Promise<void> {
  const forgotten = await askFunction('forgotten', [new Date().toISOString(), MAX_WOKEN], call)
  await sendHints(forgotten as Woken[], call.env) // as migrations/0002_running.sql has it
}

function unwoken(thrown: unknown, { requestId }: Call<Env>): void {
  const { code, message, cause } = toServiceError(thrown)
  log('warn', 'jobs_not_woken', { requestId, code, message, cause })
}

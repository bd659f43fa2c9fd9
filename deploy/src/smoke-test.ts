import { onward, type Call } from '@dot-do/worker-kernel/call'
import { CALL_HEADER } from '@dot-do/worker-kernel/http'
import type { CallOptions } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { urlOf, type Place } from './places.ts'
import { refusal } from './refusal.ts'

/** How long a preview may take to be known everywhere, and one answer of it to begin. */
const REACHABLE_MS = 8_000
const ANSWER_MS = 15_000
const PAUSE_MS = 100

/** Says that an answer is the dispatcher's own, since the worker had none. */
const ERROR_HEADER = 'x-dotdo-dispatch'

/** Says that an answer is a worker's, and of which version. */
const VERSION_HEADER = 'X-Worker-Version'

/** What is tried. */
export interface Trial {
  place: Place
  version: number
  /** What of it is asked for. */
  path: string
}

/**
 * Asks a version for one answer on its preview host. Whatever the worker itself answers is good; an exception, or code that cannot be loaded, is INVALID with the worker's own words.
 * The dispatcher may not know of the version for a moment, so its own answers are asked for again.
 */
export async function smokeTest(trial: Trial, call: Call<Env>): Promise<void> {
  const until = Date.now() + REACHABLE_MS
  for (;;) {
    const answer = await ask(trial, call)
    const outcome = await outcomeOf(answer, trial)
    if (outcome === 'works') return
    if (Date.now() > until) throw new ServiceError('UNAVAILABLE', `v${trial.version} cannot be reached on its preview host: ${outcome}`)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

async function ask({ place, version, path }: Trial, call: Call<Env>): Promise<Response> {
  const url = urlOf(place, call.env.HOST_SUFFIX, version) + path.slice(1)
  const asker = { id: 'deploy', kind: 'key' as const, tenant: place.tenant, permissions: ['*'] }
  const options: CallOptions = { ...onward(call), credential: 'header', onBehalfOf: asker }
  const headers = { [CALL_HEADER]: JSON.stringify(options), 'User-Agent': 'dotdo-smoke-test' }
  try {
    return await call.env.DISPATCHER_SERVICE.fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) })
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'TimeoutError')
      throw refusal('smokePath', `got no answer from v${version} within ${ANSWER_MS / 1000} s: ${path}`)
    throw new ServiceError('UNAVAILABLE', 'The dispatcher cannot be reached', { cause: thrown })
  }
}

async function outcomeOf(answer: Response, { version, path }: Trial): Promise<string> {
  if (answer.headers.get(ERROR_HEADER) === 'error') throw refusal('script', `failed its smoke test, GET ${path} of v${version}: ${await wordsOf(answer)}`)
  if (answer.headers.get(VERSION_HEADER) !== `v${version}`) return wordsOf(answer)
  await answer.body?.cancel()
  return 'works'
}

async function wordsOf(answer: Response): Promise<string> {
  try {
    const { error } = (await answer.json()) as { error?: { message?: unknown } }
    return String(error?.message ?? `status ${answer.status}`).slice(0, 1000)
  } catch {
    return `status ${answer.status}`
  }
}

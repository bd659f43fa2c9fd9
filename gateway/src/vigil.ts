import { toServiceError } from '@dot-do/worker-utils'
import { recogniseAgain, type Runtime } from './recognition.ts'
import type { Visit } from './visit.ts'

/** How often it is asked whether whoever is being answered still may ask. */
const EVERY_MS = 3_000

/** And by what was known how long ago at most: both together are less than the five seconds within which a revoked credential is dead. */
const MAX_AGE_MS = 1_000

/** For so long an answer goes on where that cannot be found out. */
const OUTAGE_MS = 60_000

/**
 * Cuts an answer that is still under way when the credential it was asked for with is revoked or expires: a feed that is open for hours would outlive it. The body
 * is passed on by the runtime itself, so that it costs nothing for each chunk. What is cut breaks off: it cannot be taken for complete.
 */
export function answerWhileAlive(answer: Response, visit: Visit, runtime: Runtime): Response {
  if (!visit.credential || answer.body === null) return answer
  // The runtime unpacks a body that is handed on and packs it again, so that its length is not the one that was told.
  const length = answer.headers.has('Content-Encoding') ? null : answer.headers.get('Content-Length')
  const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length))
  const [cut, end] = [new AbortController(), new AbortController()]
  // However it ends, whoever sent or read the body has been told by the streams themselves.
  const passing = answer.body.pipeTo(writable, { signal: cut.signal }).catch(() => undefined)
  runtime.ctx.waitUntil(passing.then(() => end.abort()))
  runtime.ctx.waitUntil(watch(visit, runtime, end.signal).then((isDead) => isDead && cut.abort(new Error('The credential does not hold any more'))))
  const watched = new Response(readable, answer)
  if (length === null) watched.headers.delete('Content-Length')
  return watched
}

/** Asks again and again until the end, or until the answer is that the credential is dead. */
async function watch(visit: Visit, runtime: Runtime, end: AbortSignal): Promise<boolean> {
  for (let aliveAt = Date.now(); ;) {
    await scheduler.wait(EVERY_MS, { signal: end }).catch(() => undefined)
    if (end.aborted) return false
    const state = await stateOf(visit, runtime)
    if (state === 'alive') aliveAt = Date.now()
    else if (state === 'dead' || Date.now() - aliveAt > OUTAGE_MS) return true
  }
}

async function stateOf(visit: Visit, runtime: Runtime): Promise<'alive' | 'dead' | 'unknown'> {
  try {
    if (visit.credential) await recogniseAgain(visit.credential, visit, { ...runtime, maxAgeMs: MAX_AGE_MS })
    return 'alive'
  } catch (thrown) {
    return toServiceError(thrown).code === 'UNAUTHENTICATED' ? 'dead' : 'unknown'
  }
}

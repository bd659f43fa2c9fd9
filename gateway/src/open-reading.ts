import { etagOf, matchesEtag } from '@dot-do/worker-middleware/cache'
import type { CallOptions } from '@dot-do/worker-types'
import { BoundedCache, error, ServiceError, success } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { pass } from './passage.ts'
import { timeoutOf } from './services.ts'
import type { Visit } from './visit.ts'

/** An answer as everybody gets it. */
interface Answer {
  body: string
  etag: string
}

/** What a path asks for: one thing, or those that a glob names. */
type Question = { one: { ns: string; id: string } } | { many: { ns: string; id?: string; type?: string; limit?: number; cursor?: string } }

/** 64 KiB: larger answers are made anew each time, so that the cache has 13 MB at most. */
const MAX_KEPT_LENGTH = 65_536

/** What was public, ten seconds ago at most. Everything in it was read by nobody in particular. */
const kept = new BoundedCache<string, Answer>({ maxEntries: 200, ttlMs: 10_000 })

/** Whoever took something back finds it gone everywhere after a little more than a minute. */
const CACHE_CONTROL = 'public, max-age=60, stale-while-revalidate=30'

/** Answers on a host `<ns>.mw`: what is public in a namespace, to anyone, and nothing but reading. Who asks is not looked at, so that one answer is good for all. */
export async function readOpenly(ns: string, visit: Visit, env: Env): Promise<Response> {
  const { request, url } = visit
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuseMethod(visit)
  const question = questionOf(ns, url)
  const key = JSON.stringify(question)
  const answer = kept.get(key) ?? (await ask(question, visit, env))
  if (answer.body.length <= MAX_KEPT_LENGTH && !kept.get(key)) kept.set(key, answer)
  const headers = { ETag: answer.etag, 'Cache-Control': CACHE_CONTROL, 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' }
  if (matchesEtag(request.headers.get('If-None-Match'), answer.etag)) return new Response(null, { status: 304, headers })
  return new Response(request.method === 'HEAD' ? null : answer.body, { headers })
}

async function ask(question: Question, { requestId, traceparent }: Visit, env: Env): Promise<Answer> {
  const passage = { service: 'db', timeoutMs: timeoutOf('db', env), isRepeatable: true }
  const call: CallOptions = { requestId, traceparent }
  const read = () => ('one' in question ? env.DB_SERVICE.getPublic(question.one, call) : env.DB_SERVICE.listPublic(question.many, call))
  const found = await pass<unknown>(passage, read)
  const body = JSON.stringify(success(found))
  return { body, etag: await etagOf(new TextEncoder().encode(body).buffer as ArrayBuffer) }
}

/** `/note/hello@3` is one thing; `/`, `/note/*`, `/::Note` and `/Thing::Note` are many, a page at a time by `?limit=` and `?cursor=`. */
function questionOf(ns: string, { pathname, searchParams }: URL): Question {
  const id = textOf(pathname.slice(1))
  if (id !== '' && !/\*|^(?:Thing)?::/.test(id)) return { one: { ns, id } }
  const [type, limit, cursor] = ['type', 'limit', 'cursor'].map((name) => searchParams.get(name) ?? undefined)
  const page = { ...(limit !== undefined && { limit: Number(limit) }), ...(cursor !== undefined && { cursor }) }
  return { many: { ns, ...(id !== '' && { id }), ...(type !== undefined && { type }), ...page } }
}

function textOf(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (cause) {
    throw new ServiceError('INVALID', 'The path is not well encoded', { cause })
  }
}

function refuseMethod({ request, requestId }: Visit): Response {
  const refusal = new ServiceError('INVALID', `Nothing is changed here: ${request.method} is not for what is public`)
  return Response.json(error(refusal, requestId), { status: 405, headers: { Allow: 'GET, HEAD', 'Cache-Control': 'no-store' } })
}

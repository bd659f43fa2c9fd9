import { retry, ServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'

/** How long Cloudflare may take for a small call, and for an upload. */
const TIMEOUT_MS = 15_000
const UPLOAD_TIMEOUT_MS = 120_000

/** Cloudflare's code, with status 400, for a token that cannot be one. */
const MALFORMED_TOKEN = 6003

/** One call of Cloudflare's API. `body` is called for each try, since a body is read but once. */
export interface ApiRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the account, each segment encoded. */
  path: readonly string[]
  query?: string
  body?: () => { content: BodyInit; type?: string }
  /** Takes the place of the platform's token; an upload of assets has one of its own. */
  token?: string
  /** An answer 404 is as good as any: what is to be deleted is not there. */
  absentIsFine?: boolean
  isUpload?: boolean
}

/** Calls Cloudflare's API and gives what is in its envelope. */
export type CloudflareApi = (request: ApiRequest) => Promise<unknown>

interface Envelope {
  success?: boolean
  errors?: { code?: number; message?: string }[]
  result?: unknown
}

/** Cloudflare's API for the account of this deployment. UNAVAILABLE, naming what is missing, where it is not configured. */
export function cloudflareApi(env: Env): CloudflareApi {
  const missing = missingConfiguration(env)
  return async (request) => {
    if (missing) throw new ServiceError('UNAVAILABLE', `Nothing can be published: deploy has no ${missing}`)
    return retry(() => callOnce(request, env), { attempts: 3, baseMs: 250 })
  }
}

/** The first thing without which Cloudflare cannot be called. */
export function missingConfiguration(env: Env): string | undefined {
  if (!env.CLOUDFLARE_API_TOKEN) return 'CLOUDFLARE_API_TOKEN'
  return env.CLOUDFLARE_ACCOUNT_ID ? undefined : 'CLOUDFLARE_ACCOUNT_ID'
}

/** A body in JSON. */
export function json(value: unknown): { content: string; type: string } {
  return { content: JSON.stringify(value), type: 'application/json' }
}

async function callOnce({ method, path, query = '', body, token, absentIsFine, isUpload }: ApiRequest, env: Env): Promise<unknown> {
  const { content, type } = body?.() ?? {}
  const headers = new Headers({ Authorization: `Bearer ${token ?? env.CLOUDFLARE_API_TOKEN}`, ...(type && { 'Content-Type': type }) })
  const segments = ['accounts', env.CLOUDFLARE_ACCOUNT_ID, ...path].map(encodeURIComponent).join('/')
  const signal = AbortSignal.timeout(isUpload ? UPLOAD_TIMEOUT_MS : TIMEOUT_MS)
  const init = { method, headers, signal, ...(content !== undefined && { body: content }) }
  const answer = await fetch(`${env.CLOUDFLARE_API_BASE_URL}/${segments}${query}`, init).catch(unreachable)
  const envelope = await readEnvelope(answer)
  if (answer.ok && envelope.success !== false) return envelope.result
  if (answer.status === 404 && absentIsFine) return undefined
  throw failure(answer.status, envelope, env)
}

function unreachable(cause: unknown): never {
  const isLate = cause instanceof Error && cause.name === 'TimeoutError'
  throw new ServiceError('UNAVAILABLE', isLate ? 'Cloudflare did not answer in time' : 'Cloudflare cannot be reached', { cause })
}

async function readEnvelope(answer: Response): Promise<Envelope> {
  const text = await answer.text().catch(unreachable)
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    return {}
  }
}

/** Cloudflare's refusal as ours, with its code and its words. What is wrong with the token is no fault of whoever publishes. */
function failure(status: number, { errors }: Envelope, env: Env): ServiceError {
  const said = errors?.map(({ code, message }) => `${message ?? 'no message'} (Cloudflare ${code ?? status})`).join('; ') ?? `status ${status}`
  const words = env.CLOUDFLARE_API_TOKEN ? said.replaceAll(env.CLOUDFLARE_API_TOKEN, '[redacted]') : said
  if (status === 429) return new ServiceError('RATE_LIMITED', `Cloudflare takes no more calls for now: ${words}`)
  if (status === 401 || status === 403 || errors?.some(({ code }) => code === MALFORMED_TOKEN))
    return new ServiceError('INTERNAL', 'Cloudflare refused the platform’s own credentials', { cause: new Error(words) })
  if (status >= 500) return new ServiceError('UPSTREAM', `Cloudflare failed: ${words}`)
  return new ServiceError('INVALID', `Cloudflare refused it: ${words}`)
}

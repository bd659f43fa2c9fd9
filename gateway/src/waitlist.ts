import { hostName } from '@dot-do/worker-contracts/published'
import { callOf } from '@dot-do/worker-kernel/call'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import { productionHost, ServiceError, toServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { take } from './limits.ts'
import { service } from './service.ts'
import type { Visit } from './visit.ts'
import { waitlistPage } from './waitlist-page.ts'

/** 2 KiB: an address has 254 bytes at most. */
const MAX_FORM_BYTES = 2_048

/** What the gateway does with requests for hosts where the dispatcher finds nothing. */
export interface Runtime {
  env: Env
  ctx: ExecutionContext
}

/** A form for the waitlist, which may be a published worker's own as well. It is small, so it is read before anybody is asked, and then sent on as text. */
export async function readForm({ request, url, target }: Visit): Promise<string | undefined> {
  if (target?.published !== 'host' || request.method !== 'POST' || url.pathname !== '/waitlist') return undefined
  if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers.get('Content-Type') ?? '')) return undefined
  const announced = request.headers.get('Content-Length')
  return announced !== null && Number(announced) <= MAX_FORM_BYTES ? request.text() : undefined
}

/**
 * Answers people who come where nothing is published: with a page, and with thanks for the address that they leave there. Undefined for programs, which get the
 * dispatcher's own answer.
 */
export async function answerWaiting(visit: Visit, form: string | undefined, runtime: Runtime): Promise<Response | undefined> {
  const { request } = visit
  const host = hostOf(visit, runtime.env)
  if (form !== undefined) return join(host, form, { visit, runtime })
  const isPerson = request.method === 'GET' && /\btext\/html\b/i.test(request.headers.get('Accept') ?? '')
  return isPerson ? waitlistPage(host, 'empty', request) : undefined
}

async function join(host: string, form: string, { visit, runtime: { env, ctx } }: { visit: Visit; runtime: Runtime }): Promise<Response> {
  const { request, requestId, traceparent } = visit
  visit.decision = await take({ limitClass: 'auth', cost: 1 }, visit, { env, ctx })
  if (!visit.decision.allowed) throw new ServiceError('RATE_LIMITED', 'So many addresses were left from here that no more are taken for a minute')
  const email = new URLSearchParams(form).get('email')?.trim() ?? ''
  const input = { email, ...(hostName.safeParse(host).success && { host }) }
  const call = callOf({ env, waitUntil: (promise) => ctx.waitUntil(promise) }, 'http', { requestId, traceparent })
  try {
    await invoke(service as unknown as AnyImplemented<Env>, { name: 'joinWaitlist', gather: () => input }, call) // implement() checked operation against contract, name by name
    return await waitlistPage(host, 'joined', request)
  } catch (thrown) {
    if (toServiceError(thrown).code === 'INVALID') return waitlistPage(host, 'invalid', { method: request.method, email })
    throw thrown
  }
}

function hostOf({ request, url }: Visit, { HOST_SUFFIX }: Env): string {
  return productionHost(request.headers.get('Host') ?? url.host, HOST_SUFFIX)
    .replace(/:\d+$/, '')
    .replace(/\.$/, '')
}

import type { Call } from '@dot-do/worker-kernel/call'
import type { Principal } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import { receiveFor } from '../front-door.ts'
import type { Operations } from '../operations.ts'

/** 1 MiB: what an answer may weigh that is handed over as a value. */
const MAX_ANSWER_BYTES = 1_048_576

/** What says who asks, or where from: that is known here without being said. */
const TAKEN_OUT =
  /^(?:authorization|x-api-key|cookie|host|connection|content-length|transfer-encoding|upgrade|origin|cf-.*|x-dotdo-.*|x-forwarded-.*|forwarded)$/i

export const route: Operations['route'] = async ({ url: asked, method, headers, body }, call) => {
  const url = URL.parse(asked, 'https://gateway.do')
  if (!url || !/^https?:$/.test(url.protocol)) throw invalid('url', 'must be a URL of http or https, or a path')
  const request = requestOf(url, { method, headers, body })
  const answer = await receiveFor(asSpeakable(call.principal), request, { env: call.env, ctx: contextOf(call) })
  const { status, headers: answered } = answer
  return { status, headers: Object.fromEntries(answered), body: await textOf(answer) }
}

function requestOf(url: URL, { method, headers: said, body }: { method: string; headers: Record<string, string>; body: string | undefined }): Request {
  const isRead = method === 'GET' || method === 'HEAD'
  if (isRead && body !== undefined) throw invalid('body', `is not for ${method}`)
  try {
    const headers = new Headers(Object.entries(said).filter(([name]) => !TAKEN_OUT.test(name)))
    return new Request(url, { method, headers, ...(body !== undefined && { body }) })
  } catch (cause) {
    throw new ServiceError('INVALID', 'The headers are none that HTTP can carry', { details: [{ path: 'headers', message: 'are not valid' }], cause })
  }
}

/**
 * A Worker is spoken for as a job that has its rights. As itself it cannot be: its name alone gives rights, to tables for one, that only its own binding may give; no
 * job is called so.
 */
function asSpeakable(principal: Principal): Principal {
  return principal.kind === 'service' ? { ...principal, id: `worker:${principal.id}`, kind: 'workload' } : principal
}

function contextOf({ waitUntil }: Call<Env>): ExecutionContext {
  return { waitUntil, passThroughOnException() {}, props: {} } as unknown as ExecutionContext // the way through the gateway uses nothing else of it
}

async function textOf({ body }: Response): Promise<string> {
  if (body === null) return ''
  const decoder = new TextDecoder()
  let [text, sizeBytes] = ['', 0]
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > MAX_ANSWER_BYTES) throw new ServiceError('TOO_LARGE', `The answer has more than ${MAX_ANSWER_BYTES} bytes; ask for it over HTTP`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function invalid(path: string, message: string): ServiceError {
  return new ServiceError('INVALID', `${path} ${message}`, { details: [{ path, message }] })
}

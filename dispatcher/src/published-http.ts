import type { Call } from '@dot-do/worker-kernel/call'

/** What the dispatcher says of an answer. */
export interface AnswerMarks {
  /** 0: it is no version of deploy's. */
  version: number
  requestId: string
  cookie: string | undefined
}

/** A request as published code sees it: without what only the platform says to itself, under the worker's own path, and with a trace to go on with. Bodies stream through. */
export function cleanRequest(request: Request, path: string, { requestId, traceparent }: Pick<Call, 'requestId' | 'traceparent'>): Request {
  const url = new URL(request.url)
  url.pathname = path // and not by resolving: `//things` would name a host
  const headers = withoutPlatforms(request.headers)
  headers.set('X-Request-ID', requestId)
  headers.set('traceparent', traceparent)
  // Made from its parts, since a copy would keep `cf`, which published code does not see. A redirect is for the visitor to follow.
  return new Request(url, { method: request.method, headers, body: request.body, redirect: 'manual' })
}

/** A worker's answer as the visitor sees it: it cannot say what only the platform says, and says which version gave it. */
export function cleanAnswer(answer: Response, { version, requestId, cookie }: AnswerMarks): Response {
  const headers = withoutPlatforms(answer.headers)
  if (version > 0) headers.set('X-Worker-Version', `v${version}`)
  headers.set('X-Request-ID', requestId)
  if (cookie !== undefined) headers.append('Set-Cookie', cookie)
  return remade(answer, headers)
}

/** The same answer under other headers. */
export function remade(answer: Response, headers: Headers): Response {
  const { status, statusText, webSocket } = answer
  if (webSocket) return new Response(null, { status, headers, webSocket })
  // What is encoded goes on as it is where both ends know the encoding; said to be encoded by hand, its body would leave unpacked.
  return new Response(answer.body, { status, statusText, headers })
}

/** A copy of headers without `x-dotdo-*`. */
export function withoutPlatforms(from: Headers): Headers {
  const headers = new Headers(from)
  for (const name of from.keys()) if (name.startsWith('x-dotdo-')) headers.delete(name)
  return headers
}

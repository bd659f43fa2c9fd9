import type { Context } from 'hono'

/** A header to be set on an answer. */
export type Header = readonly [name: string, value: string]

/** Sets headers on a finished answer, also on one from another Worker, whose headers are frozen. `Vary` grows; a WebSocket upgrade is left alone. */
export function setHeaders(c: Context, headers: readonly Header[]): void {
  if (c.res.status === 101) return
  const answer = new Response(c.res.body, c.res)
  for (const [name, value] of headers) {
    if (name === 'Vary') vary(answer.headers, value)
    else answer.headers.set(name, value)
  }
  replaceAnswer(c, answer)
}

/** Puts another answer in the place of the present one. Merely assigning `c.res` would copy the old headers over the new ones. */
export function replaceAnswer(c: Context, answer: Response): void {
  c.res = undefined
  c.res = answer
}

function vary(headers: Headers, name: string): void {
  const present = headers
    .get('Vary')
    ?.toLowerCase()
    .split(/\s*,\s*/)
  if (!present?.includes('*') && !present?.includes(name.toLowerCase())) headers.append('Vary', name)
}

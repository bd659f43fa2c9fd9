/** An outside call that gets no answer is given up after this time. */
export const TIMEOUT_MS = 15_000

/** How long a connection may take to be there. A server that accepts and stays silent would keep it for ever. */
export const CONNECT_LIMIT_MS = 5_000

/** What RPC carries. */
export const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** Says that an answer cannot be delivered, in the words of the embedded engine, with its SQLSTATE (program_limit_exceeded). */
export function tooLarge(): Error {
  return Object.assign(new Error(`The answer is larger than ${MAX_ANSWER_BYTES} bytes; read it in pages`), { code: '54000' })
}

/** Refuses rows that RPC would not carry, though the bytes they came in were few enough: it gives a text beyond Latin-1 two bytes for each letter. */
export function demandCarriable(results: readonly { rows: unknown[][] }[], wireBytes: number): void {
  if (wireBytes * 2 <= MAX_ANSWER_BYTES) return
  let size = 0
  for (const { rows } of results) for (const row of rows) for (const value of row) size += carriedBytes(value)
  if (size > MAX_ANSWER_BYTES) throw tooLarge()
}

function carriedBytes(value: unknown): number {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return 10
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  // eslint-disable-next-line no-control-regex -- Latin-1 begins with control characters
  return 8 + (/^[\u0000-\u00ff]*$/.test(text) ? text.length : text.length * 2)
}

/** Says that nothing came of waiting. It has no SQLSTATE, since PostgreSQL did not say it. */
export function timedOut(): Error {
  return new DOMException('The database did not answer in time', 'TimeoutError')
}

/** Does something after a time, unless it is called off by the function returned. */
export function after(durationMs: number, run: () => void): () => void {
  const timer = setTimeout(run, durationMs)
  return () => clearTimeout(timer)
}

/** Settles as the promise does, or fails when it takes too long; then `giveUp` ends what is still under way. */
export async function within<T>(limitMs: number, promise: Promise<T>, giveUp: (reason: Error) => void): Promise<T> {
  const late = Promise.withResolvers<never>()
  const callOff = after(limitMs, () => {
    const reason = timedOut()
    giveUp(reason)
    late.reject(reason)
  })
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    callOff()
  }
}

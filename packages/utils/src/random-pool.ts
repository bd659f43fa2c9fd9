const POOL_BYTES = 4096

let pool = new Uint8Array(0)
let used = 0

/**
 * Random bytes from crypto, each handed out once; at most 4096 at a time. The view is read at once, not kept.
 *
 * `getRandomValues` costs over a microsecond a call whatever the length, and every hop needs 8 bytes, so they are drawn in bulk. The first draw waits for the
 * first call: a Worker may not make randomness while its module loads.
 */
export function randomBytes(count: number): Uint8Array {
  if (used + count > pool.length) {
    pool = crypto.getRandomValues(new Uint8Array(POOL_BYTES))
    used = 0
  }
  used += count
  return pool.subarray(used - count, used)
}

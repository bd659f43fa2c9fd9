import { randomBytes } from './random-pool.ts'

/** A W3C `traceparent` taken apart (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  traceId: string
  spanId: string
  sampled: boolean
}

const PATTERN = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:$|(?<!^00.{53})-)/
const VERSION_00_LENGTH = 55
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Reads a header; undefined when it is absent or not valid, and then a new trace begins. Later versions are read by the rules of version 00, as the standard asks. */
export function parseTraceparent(header: string | null | undefined): TraceContext | undefined {
  if (!isTraceparent(header)) return undefined
  return { traceId: header.slice(3, 35), spanId: header.slice(36, 52), sampled: isSampled(header) }
}

/** The header for the next hop: same trace, new span, same sampling. Without a valid parent, a new sampled trace. */
export function childTraceparent(parent?: string | null): string {
  if (!isTraceparent(parent)) return `00-${randomHex(16)}-${randomHex(8)}-01`
  return `00-${parent.slice(3, 35)}-${randomHex(8)}-${isSampled(parent) ? '01' : '00'}`
}

/** The trace id of a header that is known to be valid, such as one from `childTraceparent`. */
export function traceId(traceparent: string): string {
  return traceparent.slice(3, 35)
}

function isTraceparent(header: string | null | undefined): header is string {
  return typeof header === 'string' && header.length >= VERSION_00_LENGTH && header.length <= 512 && PATTERN.test(header)
}

/** The lowest bit of the flags, so of their last hexadecimal digit. */
function isSampled(header: string): boolean {
  return '13579bdf'.includes(header.charAt(54))
}

/** A table and `+=` are an order of magnitude faster than `toString(16)` and `padStart` for each byte; every hop makes a span id. */
function randomHex(count: 8 | 16): string {
  let hex = ''
  for (const byte of randomBytes(count)) hex += HEX[byte]
  return hex
}

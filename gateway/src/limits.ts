import type { LimitDecision } from '@dot-do/worker-middleware/rate-limit'
import type { Principal } from '@dot-do/worker-types'
import type { Env } from './env.ts'
import { WINDOW_SECONDS } from './rate-window.ts'

/** Calls a minute by class, where the principal has no limit of its own. A published worker's page asks for its images and scripts too. */
const LIMITS: Record<string, number> = { default: 60, ai: 20, auth: 10, batch: 5, workflow: 30, published: 6_000 }

/** Strangers are spread over this many counters by address, so that their number does not make objects. */
const STRANGERS = 64

/** Counts one call against whoever makes it, on the counter of its class. */
export async function take(limitClass: string, { principal, address }: { principal: Principal; address: string }, env: Env): Promise<LimitDecision> {
  const limit = principal.limitPerMinute ?? LIMITS[limitClass] ?? 60
  const { object, key } = counterOf(principal, address)
  const { allowed, remaining, resetSeconds } = await env.RateCounters.getByName(object).take(`${limitClass} ${key}`, limit, 1)
  return { name: limitClass, limit, windowSeconds: WINDOW_SECONDS, allowed, remaining, resetSeconds }
}

function counterOf(principal: Principal, address: string): { object: string; key: string } {
  if (principal.kind !== 'anonymous') return { object: principal.id, key: '' }
  const network = networkOf(address)
  let hash = 0
  for (let index = 0; index < network.length; index++) hash = (hash * 31 + network.charCodeAt(index)) >>> 0
  return { object: `strangers-${hash % STRANGERS}`, key: network }
}

/** Who shares a counter: an IPv4 address by itself, an IPv6 address with its /64, which one household has whole. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped) return mapped
  const [head = '', tail] = address.toLowerCase().split('::')
  const start = head.split(':').filter(Boolean)
  const end = tail === undefined ? [] : tail.split(':').filter(Boolean)
  const groups = [...start, ...Array.from({ length: Math.max(0, 8 - start.length - end.length) }, () => '0'), ...end]
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')
}

import type { LimitDecision } from '@dot-do/worker-middleware/rate-limit'
import type { Env } from './env.ts'
import { Leases, type Loan } from './leases.ts'
import type { RateCounter } from './rate-counter.ts'
import { LEASE_SECONDS, WINDOW_SECONDS, type WindowDecision } from './rate-window.ts'
import type { Visit } from './visit.ts'

/** How many calls of a class count for as many of the class `default` as DEFAULT says. A published worker's page asks for its images and scripts too. */
const LIMITS: Readonly<Record<string, number>> = { default: 60, ai: 20, auth: 10, batch: 5, workflow: 30, published: 6_000 }
const DEFAULT = 60

/** Strangers are spread over this many counters by address, so that their number does not make objects. */
const STRANGERS = 64

/** What of large limits this isolate holds; a bounded cache, as it were. */
const leases = new Leases()

/** Which limit a call is held against, and what it draws on it. */
export interface Charge {
  limitClass: string
  cost: number
}

/** Whose limit it is. */
export type Payer = Pick<Visit, 'principal' | 'address'>

/** Where the counters are, and what keeps a question alive that nobody waits for. */
export interface Counting {
  env: Pick<Env, 'RateCounters' | 'LIMIT_PER_MINUTE' | 'EXACT_LIMIT'>
  ctx: Pick<ExecutionContext, 'waitUntil'>
}

/** Counts one call against whoever makes it, on the counter of its class. */
export function take({ limitClass, cost: asked }: Charge, payer: Payer, counting: Counting): LimitDecision | Promise<LimitDecision> {
  const limit = limitOf(limitClass, payer.principal.limitPerMinute ?? Number(counting.env.LIMIT_PER_MINUTE))
  const cost = Math.min(asked, limit) // or a small limit would shut out what is dear
  const account = accountOf(limitClass, payer)
  const about = { name: limitClass, limit, windowSeconds: WINDOW_SECONDS }
  const told = ({ allowed, remaining, resetSeconds }: WindowDecision): LimitDecision => ({ ...about, allowed, remaining, resetSeconds })
  if (limit <= Number(counting.env.EXACT_LIMIT)) return counterOf(account, counting).take(account.window, limit, cost).then(told)
  const held = leases.take(account.key, cost, Date.now())
  return held ? told(held) : borrow({ account, limit, cost }, counting).then(told)
}

/** A principal's own limit is that of the class `default`; its other limits keep their proportion to it, so that none is raised where the one is lowered. */
export function limitOf(limitClass: string, limitPerMinute: number): number {
  return Math.max(1, Math.floor((limitPerMinute * (LIMITS[limitClass] ?? DEFAULT)) / DEFAULT))
}

interface Account {
  /** The Durable Object that counts. */
  object: string
  window: { limitClass: string; whose: string }
  /** Both as one, for what this isolate holds. */
  key: string
}

async function borrow({ account, limit, cost }: { account: Account; limit: number; cost: number }, counting: Counting): Promise<WindowDecision> {
  const askedAt = Date.now()
  const wish = leases.wish(account.key, limit, askedAt)
  const lent = await counterOf(account, counting).lend(account.window, limit, { ...wish, cost })
  const giveBack = async (loan: Loan | undefined) => loan && counterOf(account, counting).giveBack(loan)
  if (lent.loan.units > 0) {
    const isHeld = leases.hold(account.key, lent, askedAt)
    const leftover = isHeld ? scheduler.wait(LEASE_SECONDS * 1000).then(() => leases.leftover(account.key, askedAt)) : Promise.resolve(lent.loan)
    counting.ctx.waitUntil(leftover.then(giveBack))
  } else leases.hold(account.key, lent, askedAt)
  return lent
}

function counterOf({ object }: Account, { env }: Counting): DurableObjectStub<RateCounter> {
  return env.RateCounters.getByName(object)
}

function accountOf(limitClass: string, { principal, address }: Payer): Account {
  const isStranger = principal.kind === 'anonymous'
  const whose = isStranger ? networkOf(address) : ''
  const object = isStranger ? `strangers-${shardOf(whose)}` : principal.id
  return { object, window: { limitClass, whose }, key: `${limitClass} ${isStranger ? whose : object}` }
}

function shardOf(network: string): number {
  let hash = 0
  for (let index = 0; index < network.length; index++) hash = (hash * 31 + network.charCodeAt(index)) >>> 0
  return hash % STRANGERS
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

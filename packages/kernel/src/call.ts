import type { CallOptions, Principal } from '@dot-do/worker-types'
import { childTraceparent, generateId } from '@dot-do/worker-utils'
import { principalOf } from './identity.ts'
import type { LedgerEntry } from './ledger.ts'

/** The interface a call came in by. */
export type Via = 'rpc' | 'http' | 'mcp' | 'queue'

/** One invocation: everything an operation may know besides its input. */
export interface Call<Env = unknown> {
  env: Env
  principal: Principal
  via: Via
  requestId: string
  traceparent: string
  idempotencyKey?: string
  /** Where the request came from; empty where nobody says. */
  address?: string
  /** Present while a keyed operation runs: the row to commit together with the effect. */
  entry?: LedgerEntry
  waitUntil(promise: Promise<unknown>): void
}

/** What a Worker's runtime gives an invocation; both doors and the queue have it. */
export interface Runtime<Env> {
  env: Env
  /** The binding's props; absent at the platform's door, which honours none. */
  props?: unknown
  waitUntil(promise: Promise<unknown>): void
}

/** Makes a call from where it came in and what the caller said of it. FORBIDDEN if it speaks for others without the right to. */
export function callOf<Env>(runtime: Runtime<Env>, via: Via, options: CallOptions = {}): Call<Env> {
  return {
    env: runtime.env,
    principal: principalOf(runtime.props, options.onBehalfOf),
    via,
    requestId: options.requestId ?? generateId('req'),
    traceparent: childTraceparent(options.traceparent),
    ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
    ...(options.address === undefined ? {} : { address: options.address }),
    waitUntil: runtime.waitUntil,
  }
}

/** What to hand on when an operation calls another service in its own name: the same request, the same trace. */
export function onward(call: Call): CallOptions {
  return { requestId: call.requestId, traceparent: call.traceparent }
}

/** What to hand on when it calls in the name of whoever called it; the binding needs the right to delegate. */
export function onBehalf(call: Call): CallOptions {
  return { ...onward(call), onBehalfOf: call.principal, ...(call.idempotencyKey === undefined ? {} : { idempotencyKey: call.idempotencyKey }) }
}

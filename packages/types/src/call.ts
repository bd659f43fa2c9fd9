import type { Principal } from './principal.ts'

/** What a caller may say about a call besides its input. Over HTTP it travels as `x-dotdo-call`, which the gateway strips from outside requests. */
export interface CallOptions {
  requestId?: string
  /** W3C Trace Context, version 00. */
  traceparent?: string | undefined
  idempotencyKey?: string
  /** Whose authority the call is made with; refused unless the binding's props grant the right to delegate. */
  onBehalfOf?: Principal
  /** How `onBehalfOf` proved itself: a header cannot be sent by a foreign page, a cookie can. */
  credential?: 'header' | 'cookie'
  /** Where the request came from, as the gateway saw it; empty where nobody says. It is noted, and gives no right. */
  address?: string
}

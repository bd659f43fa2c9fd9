import { WorkerEntrypoint } from 'cloudflare:workers'
import { scriptKey, type ScriptName, type TailEvent } from '../protocol.ts'
import { note } from './activity.ts'
import type { HostEnv } from './environment.ts'

/** Keys of the scripts that somebody listens to; the Node side says which. */
let heard: ReadonlySet<string> = new Set()

export function hear(keys: string[]): void {
  heard = new Set(keys)
}

/** Gets the trace of each invocation of a script, once all of it is over, what it left to `waitUntil` too. */
export class Tail extends WorkerEntrypoint<HostEnv, ScriptName> {
  override tail(traces: TraceItem[]): void {
    const key = scriptKey(this.ctx.props)
    for (const trace of traces) {
      const event = heard.has(key) ? { event: eventOf(trace, this.ctx.props) } : {}
      note(this.env.MARK, { type: 'done', key, ...event })
    }
  }
}

function eventOf(trace: TraceItem, { namespace, name }: ScriptName): TailEvent {
  return {
    eventTimestamp: trace.eventTimestamp,
    outcome: trace.outcome,
    scriptName: name,
    dispatchNamespace: namespace,
    entrypoint: trace.entrypoint ?? null,
    logs: trace.logs.map(({ message, level, timestamp }) => ({ message, level, timestamp })),
    exceptions: trace.exceptions.map((exception) => ({
      name: exception.name,
      message: exception.message,
      timestamp: exception.timestamp,
      ...(exception.stack === undefined ? {} : { stack: exception.stack }),
    })),
    event: detailOf(trace.event),
  }
}

/** The event as traces tell it: workerd shows neither headers that let their reader in elsewhere nor what looks like a key in a URL. Without `cf`. */
function detailOf(event: TraceItem['event']): Record<string, unknown> | null {
  if (event === null) return null
  if ('rpcMethod' in event) return { rpcMethod: event.rpcMethod }
  if ('cron' in event) return { cron: event.cron, scheduledTime: event.scheduledTime }
  if (!('request' in event)) return {}
  const { method, url, headers } = event.request
  const response = 'response' in event && event.response ? { response: { status: event.response.status } } : {}
  return { request: { method, url, headers }, ...response }
}

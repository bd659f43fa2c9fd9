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

const REDACTED = /^(authorization|cookie|set-cookie|proxy-authorization|.*(token|secret|api-?key).*)$/i

/** The event without `cf` and without what lets its reader in elsewhere. */
function detailOf(event: TraceItem['event']): Record<string, unknown> | null {
  if (event === null) return null
  if (!('request' in event))
    return {
      ...('rpcMethod' in event ? { rpcMethod: event.rpcMethod } : {}),
      ...('cron' in event ? { cron: event.cron, scheduledTime: event.scheduledTime } : {}),
    }
  const { method, url, headers } = event.request
  const shown = Object.entries(headers).map(([header, value]) => [header, REDACTED.test(header) ? 'REDACTED' : value])
  return {
    request: { method, url, headers: Object.fromEntries(shown) },
    ...('response' in event && event.response ? { response: { status: event.response.status } } : {}),
  }
}

import type { Binding } from '../store/script.ts'

/** What the platform's process, the processes of published scripts and this one tell each other. Plain values only: they cross all three. */

/** The name and the place a script has among those published. */
export interface ScriptName {
  namespace: string
  name: string
}

/** What one dispatch may use. */
export interface DispatchLimits {
  /** Milliseconds of CPU between two moments at which the process answers. */
  cpuMs?: number
  subRequests?: number
}

/** The Worker of the platform that a namespace's outgoing requests pass, with the parameters of one dispatch. */
export interface OutboundCall {
  worker: string
  parameters: Record<string, unknown>
}

/** One dispatch, as a shard is told of it. */
export interface DispatchCall extends ScriptName {
  id: string
  args: unknown
  limits: DispatchLimits
  outbound?: OutboundCall
}

/** Where a script runs now. */
export interface Placement {
  /** The process's debug port, as `host:port`. */
  address: string
  /** Names the process in questions about it; never used twice. */
  process: string
}

/** A dispatch that ended with its process. */
export interface LostDispatch {
  process: string
  dispatch: string
}

/** The answer to the question where a script runs: a place, or why it does not run. */
export type PlacementAnswer = { placement: Placement; entered?: boolean } | { error: string }

export interface DeliveredModule {
  name: string
  type: 'esm' | 'cjs' | 'text' | 'data' | 'json' | 'wasm'
  /** Text, or base64 where the type is `data` or `wasm`. */
  content: string
}

/** How assets are looked up: https://developers.cloudflare.com/workers/static-assets/routing/advanced/html-handling/ */
export interface AssetConfig {
  html_handling?: 'auto-trailing-slash' | 'force-trailing-slash' | 'drop-trailing-slash' | 'none'
  not_found_handling?: 'none' | '404-page' | 'single-page-application'
  run_worker_first?: boolean | string[]
}

/** The asset files of a script: their hashes and content types by path. */
export interface DeliveredAssets {
  config: AssetConfig
  files: Record<string, { hash: string; contentType?: string }>
}

/** All that a shard needs to run a script. */
export interface DeliveredScript extends ScriptName {
  /** What the binding `version_metadata` tells. */
  version: { id: string; tag: string; timestamp: string }
  compatibilityDate: string
  compatibilityFlags: string[]
  /** Absent for a script that has only assets. */
  mainModule?: string
  modules: DeliveredModule[]
  /** With the text of secrets inside. */
  bindings: Binding[]
  assets?: DeliveredAssets
}

/** A line of a shard's output, after its mark. */
export type ActivityLine =
  { type: 'enter'; dispatch: string; key: string; cpuMs?: number } | { type: 'leave'; dispatch: string } | { type: 'done'; key: string; event?: TailEvent }

/** https://developers.cloudflare.com/logs/reference/log-fields/account/workers_trace_events/, as `wrangler tail` prints them. */
export interface TailEvent {
  eventTimestamp: number | null
  outcome: string
  scriptName: string
  dispatchNamespace: string
  entrypoint: string | null
  logs: { message: unknown; level: string; timestamp: number }[]
  exceptions: { name: string; message: string; stack?: string; timestamp: number }[]
  event: Record<string, unknown> | null
}

/** One name for a script, that no two scripts share. */
export function scriptKey({ namespace, name }: ScriptName): string {
  return `${namespace}/${name}`
}

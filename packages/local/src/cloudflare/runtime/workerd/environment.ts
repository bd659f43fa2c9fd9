import type { Isolate } from './isolate.ts'

/** The bindings of the Worker that hosts published scripts. */
export interface HostEnv {
  /** Begins the lines that `note` writes. */
  MARK: string
  /** Scripts kept at most. */
  MAX_RESIDENT: number
  /** The debug port of the platform's process, as `host:port`. */
  HOME: string
  LOADER: WorkerLoader
  /** Its objects have no storage, and any text is an id. */
  ISOLATE: { get(id: string): DurableObjectStub<Isolate> }
  DEBUG_PORT: DebugPort
  /** The Node side. The token is added below JavaScript. */
  CONTROL: Fetcher
  /** Reaches public addresses only; names are resolved before that is judged. */
  INTERNET: Fetcher
}

/** workerd's binding `workerdDebugPort`. */
export interface DebugPort {
  connect(address: string): { getEntrypoint(service: string, entrypoint?: string, props?: unknown): Fetcher }
}

/** Entrypoints of the hosting Worker that are given to published code, each made with the properties that bind it to its script. */
export type Exports = Record<'Assets' | 'Bridge' | 'Egress' | 'Tail', (options: { props: unknown }) => Fetcher>

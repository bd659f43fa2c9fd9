import * as z from 'zod'
import type { CallOptions, McpTool, McpToolResult, QueueMessage } from '@dot-do/worker-types'
import { refuseBrokenPromises } from './promises.ts'

/** What happens when the same call arrives twice: `natural` ends in the same state, `keyed` is remembered by its Idempotency-Key, `unsafe` happens twice. */
export type Repeat = 'natural' | 'keyed' | 'unsafe'

/** A method and the service's own path; `:name` takes one segment, `:name+` in the last place takes the rest. */
export type Route = `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`

/** Which counter of the gateway a route draws on; routes of different classes never share one. */
export type LimitClass = 'default' | 'ai' | 'auth' | 'batch' | 'workflow'

/** What one operation promises, the same on every interface that offers it. */
export interface Terms<Input extends z.ZodObject, Output extends z.ZodType> {
  /** One line, imperative; the title of the operation everywhere. */
  summary: string
  description?: string
  input: Input
  output: Output
  /** `noun:verb`; `authenticated` for anyone who is somebody; `public` where nothing is required. */
  permission: string
  /** What the call is about, where its permission may be narrowed (`deployments:create@hello/production/acme`); a field that is absent is not narrowed. */
  resource?: (input: z.output<Input>, asker: { tenant: string }) => { service?: string; environment?: string; tenant?: string }
  http?: Route
  /** Offered to MCP clients. */
  tool?: boolean
  limit?: LimitClass
  /** How many calls of its class one of these counts for; one unless told. */
  cost?: number
  /** The largest HTTP body that is read, in bytes; 1 MiB unless told. */
  bodyLimitBytes?: number
  /** The HTTP status of an answer, where it is not always 200. */
  status?: (output: z.output<Output>) => 200 | 201 | 503
  /** The statuses that `status` may give; 200 alone unless told. */
  statuses?: readonly (200 | 201 | 503)[]
  /** The field of the output that is shown once and never stored; a replayed answer lacks it, so its schema is optional. */
  secret?: string
}

/** One operation of a contract: its terms, and whether it reads or changes. */
export interface Operation<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType, Queued extends boolean = boolean> extends Terms<
  Input,
  Output
> {
  kind: 'query' | 'command'
  repeat: Repeat
  /** Accepted from the service's queue. */
  queue: Queued
}

/** The operations of one service by name. */
export type Operations = Record<string, AnyOperation>

/** An operation of whatever input and output. Method syntax in `status` and `resource` keeps every operation assignable to it. */
export type AnyOperation = Omit<Operation, 'status' | 'resource'> & {
  status?(output: never): 200 | 201 | 503
  resource?(input: never, asker: { tenant: string }): { service?: string; environment?: string; tenant?: string }
}

/** What a service promises: a value with no code behind it. */
export interface Contract<Name extends string = string, Ops extends Operations = Operations> {
  name: Name
  summary: string
  version: string
  operations: Ops
}

/** An operation that only reads. Fields of its input that it does not know are ignored. */
export function query<Input extends z.ZodObject, Output extends z.ZodType>(terms: Terms<Input, Output>): Operation<Input, Output, false> {
  return { ...terms, kind: 'query', repeat: 'natural', queue: false }
}

/** An operation that changes something. Fields of its input that it does not know are refused, so that a typo never passes for success. */
export function command<Input extends z.ZodObject, Output extends z.ZodType, const Queued extends boolean = false>(
  terms: Terms<Input, Output> & { repeat: Repeat; queue?: Queued },
): Operation<Input, Output, Queued> {
  const queue = (terms.queue ?? false) as Queued // absent, Queued is its default, false
  return { ...terms, kind: 'command', queue, input: terms.input.strict() as unknown as Input } // strict() changes only what is refused, so the input's type stays what it was
}

/** Binds a name to its operations; throws at load for a promise that cannot be kept. */
export function contract<const Name extends string, Ops extends Operations>(
  name: Name,
  about: { summary: string; version: string },
  operations: Ops,
): Contract<Name, Ops> {
  const made = { name, ...about, operations }
  refuseBrokenPromises(made)
  return made
}

/** What an operation is given, before parsing. */
export type InputOf<Op extends AnyOperation> = z.input<Op['input']>

/** What an operation answers. */
export type OutputOf<Op extends AnyOperation> = z.output<Op['output']>

/** What a binder sees: one method per operation, and the tools of the MCP projection. Nothing here may be called with more than `(input, call)`. */
export type ServiceOf<C extends Contract> = {
  [Name in keyof C['operations']]: (input: InputOf<C['operations'][Name]>, call?: CallOptions) => Promise<OutputOf<C['operations'][Name]>>
} & ToolService

/** The methods every service has beside its operations. */
export interface ToolService {
  tools(input: Record<string, never>, call?: CallOptions): Promise<McpTool[]>
  callTool(input: { name: string; arguments?: Record<string, unknown> | undefined }, call?: CallOptions): Promise<McpToolResult>
}

/** A service binding as env holds it: the methods over RPC and `fetch` over HTTP. */
export type Service<S> = S & { fetch: typeof fetch }

/** What a service's queue accepts: the operations it offers there. */
export type MessageOf<C extends Contract> = {
  [Name in keyof C['operations'] & string]: C['operations'][Name] extends { queue: true } ? QueueMessage<Name, InputOf<C['operations'][Name]>> : never
}[keyof C['operations'] & string]

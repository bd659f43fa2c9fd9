import type { Contract, Operations } from '@dot-do/worker-contracts/contract'
import type { ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import type { Call } from './call.ts'
import type { Ledger } from './ledger.ts'

type Awaitable<Value> = Value | Promise<Value>

/** The code a contract asks for: one function per operation. A missing one or a wrong output does not compile. */
export type Implementation<C extends Contract, Env> = {
  [Name in keyof C['operations']]: (input: z.output<C['operations'][Name]['input']>, call: Call<Env>) => Awaitable<z.input<C['operations'][Name]['output']>>
}

/** A contract together with its code; what the projections take. */
export interface Implemented<C extends Contract = Contract, Env = unknown> extends Equipment<Env> {
  contract: C
  operations: Implementation<C, Env>
}

/** The generated document as the projections need it: served as it is, and read for its tools. */
export interface Document {
  openapi: string
  'x-tools': unknown
}

/** What an implementation brings along besides its code. */
export interface Equipment<Env> {
  /** The contract's OpenAPI document, generated at build time. */
  document: Document
  /** Needed by keyed operations. */
  ledger?: Ledger<Env>
  /** Told of every command of somebody known that failed or was refused, before they are. It must not throw. */
  refused?: (operation: string, error: ServiceError, call: Call<Env>) => Promise<void>
  /** Told of every call once it is over: how it ended as HTTP has it, and how long it took by a clock that stands still while nothing is awaited. It must not throw. */
  observed?: (what: { operation: string; status: number; durationMs: number }, call: Call<Env>) => void
}

/** The same, of whatever contract: operations looked up by name and given what their own schema parsed. */
export interface AnyImplemented<Env> extends Equipment<Env> {
  contract: Contract
  operations: Record<string, (input: never, call: Call<Env>) => unknown>
}

/** Joins a contract and its code. A contract with a keyed operation needs a ledger, or it throws at load. */
export function implement<C extends Contract, Env>(contract: C, operations: Implementation<C, Env>, equipment: Equipment<Env>): Implemented<C, Env> {
  const keyed = Object.entries<Operations[string]>(contract.operations).find(([, operation]) => operation.repeat === 'keyed')
  if (keyed && !equipment.ledger) throw new TypeError(`${contract.name}.${keyed[0]} is keyed, so ${contract.name} needs a ledger`)
  return { contract, operations, ...equipment }
}

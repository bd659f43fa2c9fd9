import type { auth } from '@dot-do/worker-contracts/auth'
import type { Call } from '@dot-do/worker-kernel/call'
import type { AnyImplemented, Implemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import type * as z from 'zod'
import type { Env } from '../env.ts'

type Contract = typeof auth
type Name = keyof Contract['operations']

/** auth's own operations, for its pages: by the one way that every interface goes. */
export type Ask = <N extends Name>(
  name: N,
  input: z.input<Contract['operations'][N]['input']>,
  call: Call<Env>,
) => Promise<z.output<Contract['operations'][N]['output']>>

/** Makes it of the service. */
export function asking(service: Implemented<Contract, Env>): Ask {
  const operations = service as unknown as AnyImplemented<Env> // implement() checked operation against contract, name by name
  return async (name, input, call) => (await invoke(operations, { name, gather: () => input }, call)) as never // invoke let through what the output schema of that name lets through
}

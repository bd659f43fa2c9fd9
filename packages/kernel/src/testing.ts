import type { Contract } from '@dot-do/worker-contracts/contract'
import type { Principal } from '@dot-do/worker-types'
import { toServiceError } from '@dot-do/worker-utils'
import type { Call } from './call.ts'
import { ANONYMOUS } from './identity.ts'

/** A key that may do what its permissions say, everything unless told; each test names its own. */
export function testPrincipal(permissions: string[] = ['*'], about: Partial<Principal> = {}): Principal {
  return { id: 'key_test', kind: 'key', tenant: 'default', permissions, ...about }
}

/** A call for tests of operations: by RPC, by someone who may do everything, unless told. A promise given to `waitUntil` that rejects fails the test run. */
export function testCall<Env>(about: { env: Env } & Partial<Call<Env>>): Call<Env> {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  return { principal: testPrincipal(), via: 'rpc', requestId: 'req_test', traceparent, waitUntil: (promise) => void promise, ...about }
}

/**
 * Calls every operation that is not public, with no input, as nobody and as somebody without the permission. Throws, naming the operations, where the answer is
 * anything but UNAUTHENTICATED or FORBIDDEN: an answer that finds fault with the input came too late.
 */
export async function refusesStrangers({ name, operations }: Contract, callAs: (operation: string, stranger: Principal) => Promise<unknown>): Promise<void> {
  const strangers = Object.entries(operations).flatMap(([operation, { permission }]) => {
    if (permission === 'public') return []
    const nobody = { operation, stranger: ANONYMOUS, refusal: 'UNAUTHENTICATED' }
    return permission === 'authenticated' ? [nobody] : [nobody, { operation, stranger: testPrincipal([]), refusal: 'FORBIDDEN' }]
  })
  const verdicts = await Promise.all(
    strangers.map(async ({ operation, stranger, refusal }) => {
      const code = await callAs(operation, stranger).then(
        () => 'an answer',
        (thrown: unknown) => toServiceError(thrown).code,
      )
      return code === refusal ? [] : [`${name}.${operation} gives ${stranger.kind} ${code}, not ${refusal}`]
    }),
  )
  const leaks = verdicts.flat()
  if (leaks.length > 0) throw new Error(leaks.join('\n'))
}

import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { FreshCache } from '@dot-do/worker-utils/fresh-cache'
import type { Env } from './env.ts'
import type { PointerState } from './pointer-state.ts'
import type { Pointer } from './pointer.ts'

/** A worker by name. */
export interface Named {
  tenant: string
  worker: string
}

/** A rollback shows everywhere within three quarters of a second: nothing older is served. */
const known = new FreshCache<PointerState>({ maxEntries: 1_000, freshMs: 250, staleMs: 750 })

/** The object that alone says what is live of a worker. */
export function pointerOf({ tenant, worker }: Named, env: Pick<Env, 'Pointers'>): DurableObjectStub<Pointer> {
  return env.Pointers.getByName(`${tenant}/${worker}`)
}

/** What is live of a worker, as this isolate knows it. */
export function knownPointer(named: Named, { env, waitUntil }: Pick<Call<Env>, 'env' | 'waitUntil'>): Promise<PointerState> {
  return known.get(nameOf(named), () => readPointer(named, env), waitUntil)
}

/** What is live of a worker, asked of its object. UNAVAILABLE if that cannot answer. */
export async function readPointer(named: Named, env: Pick<Env, 'Pointers'>): Promise<PointerState> {
  try {
    return await pointerOf(named, env).read()
  } catch (cause) {
    throw new ServiceError('UNAVAILABLE', 'What is published cannot be told now; try again in a second', { cause })
  }
}

/** Makes this isolate ask anew what is live. */
export function forgetPointer(named: Named): void {
  known.forget(nameOf(named))
}

function nameOf({ tenant, worker }: Named): string {
  return `${tenant}/${worker}`
}

import type { Call } from '@dot-do/worker-kernel/call'
import { allows, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { addressOf, type WorkerAddress } from '../address.ts'
import type { Env } from '../env.ts'
import { publishedAddress } from '../entrance.ts'
import type { Operations } from '../operations.ts'
import { readPointer } from '../pointers.ts'
import { slotOf } from '../pointer-state.ts'
import { targetOf, UNMANAGED } from '../target.ts'

type Resolution = Awaited<ReturnType<Operations['resolve']>>

const NOTHING = { tenant: null, worker: null, environment: null, version: null, access: null }

export const resolve: Operations['resolve'] = async ({ url: asked }, call) => {
  const url = URL.parse(/^https?:\/\//i.test(asked) ? asked : `http://${asked}`)
  if (!url) throw new ServiceError('INVALID', 'url must be a URL or a host', { details: [{ path: 'url', message: 'is neither a URL nor a host' }] })
  const found = addressOf(url.host, url.pathname, call.env.HOST_SUFFIX)
  if (found.kind === 'own') return { ...NOTHING, reason: 'the host and path are the platform’s own' }
  const address = await publishedAddress(found, call)
  // Somebody else's worker is told of no more than what is not there.
  if (!address || !maySee(address.tenant, call)) return { ...NOTHING, reason: `nothing is published at ${url.host}` }
  return workerAt(address, found.kind === 'custom' ? `custom domain ${found.host}` : `host or path of ${address.worker}`, call)
}

async function workerAt(address: WorkerAddress, by: string, { env }: Call<Env>): Promise<Resolution> {
  const { tenant, worker, environment } = address
  const pointer = await readPointer(address, env)
  const whole = { slots: pointer.slots.map((slot) => ({ ...slot, canary: null })), reserved: pointer.reserved }
  try {
    const { kept, environment: of } = targetOf(address, whole, { headers: new Headers(), nowMs: Date.now(), random: () => 1 })
    if (kept.version === UNMANAGED) return { tenant, worker, environment, version: null, access: null, reason: `${by}; nothing was published by deploy` }
    const canary = address.version === undefined && address.branch === undefined ? slotOf(pointer, of).canary : null
    const reason = canary ? `${by}; the canary ${canary.version} has ${canary.percent} %` : by
    return { tenant, worker, environment: of, version: kept.version, access: kept.access, reason }
  } catch (thrown) {
    const { code, message } = toServiceError(thrown)
    if (code === 'INTERNAL') throw thrown
    return { tenant, worker, environment, version: null, access: null, reason: `${by}; ${message}` }
  }
}

function maySee(tenant: string, { principal }: Call): boolean {
  return principal.kind === 'service' || principal.tenant === tenant || allows(principal.permissions, '*')
}

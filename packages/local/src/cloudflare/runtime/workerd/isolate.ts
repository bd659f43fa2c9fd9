import { DurableObject, RpcTarget } from 'cloudflare:workers'
import { scriptKey, type DispatchCall, type ScriptName } from '../protocol.ts'
import { note } from './activity.ts'
import { servesAsset } from './asset-routing.ts'
import type { Exports, HostEnv } from './environment.ts'
import { loadScript, type Loaded } from './load.ts'
import { budgetOf } from './resident.ts'

/** A script's entrypoint over RPC. What workerd loads dynamically cannot cross RPC, but an object whose prototype forwards to it can. */
class Remote extends RpcTarget {
  #leave: () => void

  constructor(entrypoint: object, leave: () => void) {
    super()
    this.#leave = leave
    const get = (target: object, key: string | symbol): unknown => (key in target ? Reflect.get(target, key) : Reflect.get(entrypoint, key))
    Object.setPrototypeOf(this, new Proxy(Remote.prototype, { get }))
  }

  [Symbol.dispose](): void {
    this.#leave()
  }
}

/** What the flag `service_binding_extra_handlers` adds to a service. */
interface Scheduled {
  scheduled(options: { cron: string; scheduledTime: Date }): Promise<{ outcome: string }>
}

/**
 * Holds one loaded script. workerd evicts an object that is idle for ten seconds, and what it holds goes too; a script held by
 * the loader's own cache would never go.
 */
export class Isolate extends DurableObject<HostEnv> {
  #loading: Promise<Loaded> | undefined

  override async fetch(request: Request): Promise<Response> {
    const call = callOf(request)
    const leave = this.#enter(call)
    try {
      const loaded = await this.#load(call)
      const { url, method, headers, body } = request
      // Made anew, so that published code sees no `request.cf`.
      const bare = new Request(url, { method, headers, body, redirect: 'manual' })
      if (servesAsset(loaded.script, bare)) return await loaded.assets.fetch(bare)
      return await loaded.worker.getEntrypoint(undefined, { props: call.args }).fetch(bare)
    } finally {
      leave()
    }
  }

  /** The script's default entrypoint. It counts as in flight until the caller lets go of it. */
  async entrypoint(call: DispatchCall): Promise<Remote> {
    const leave = this.#enter(call)
    try {
      const { worker } = await this.#load(call)
      return new Remote(worker.getEntrypoint(undefined, { props: call.args }), leave)
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Calls the script's `scheduled`, and says how that ended. A method called `scheduled` would be taken for a handler of this object. */
  async runScheduled(call: DispatchCall, controller: { cron: string; scheduledTime: number }): Promise<{ outcome: string }> {
    const leave = this.#enter(call)
    try {
      const { worker } = await this.#load(call)
      const { cron, scheduledTime } = controller
      const entrypoint = worker.getEntrypoint(undefined, { props: call.args }) as unknown as Scheduled
      const { outcome } = await entrypoint.scheduled({ cron, scheduledTime: new Date(scheduledTime) })
      return { outcome }
    } finally {
      leave()
    }
  }

  /** Forgets the code. Requests in flight finish on it; the next one has it read again. */
  drop(): void {
    this.#loading = undefined
  }

  #load(call: DispatchCall): Promise<Loaded> {
    if (this.#loading) return this.#loading
    const loading = loadScript({ env: this.env, exports: this.ctx.exports as unknown as Exports }, call)
    this.#loading = loading
    loading.catch(() => {
      if (this.#loading === loading) this.#loading = undefined
    })
    return loading
  }

  #enter(call: DispatchCall): () => void {
    const budget = budgetOf(isolateId(call))
    budget?.enter(call.limits.subRequests)
    const { cpuMs } = call.limits
    note(this.env.MARK, { type: 'enter', dispatch: call.id, key: scriptKey(call), ...(cpuMs === undefined ? {} : { cpuMs }) })
    let hasLeft = false
    return () => {
      if (hasLeft) return
      hasLeft = true
      budget?.leave()
      note(this.env.MARK, { type: 'leave', dispatch: call.id })
    }
  }
}

/** The call travels in `cf`, which costs less than a header and which published code never sees. */
function callOf(request: Request): DispatchCall {
  const { call } = (request.cf ?? {}) as { call?: DispatchCall }
  if (!call) throw new Error('An isolate was asked without a call.')
  return call
}

/** The isolate that a call runs in: the script's, or one for these very outbound parameters, which an isolate cannot tell apart. */
export function isolateId({ outbound, ...script }: ScriptName & Pick<DispatchCall, 'outbound'>): string {
  return outbound ? `${scriptKey(script)}?${JSON.stringify(outbound)}` : scriptKey(script)
}

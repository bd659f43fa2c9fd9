import type { DispatchCall, DispatchLimits, LostDispatch, Placement, PlacementAnswer, ScriptName } from '../protocol.ts'
import type { DebugPort } from './environment.ts'
import { later } from './later.ts'

/** What is bound inside the binding, out of reach of the Worker that has it. */
export interface BindingEnv {
  DEBUG_PORT: DebugPort
  /** The Node side. The token is added below JavaScript. */
  CONTROL: Fetcher
  NAMESPACE: string
  /** The outbound Worker and the parameters it declares, as JSON; null when the namespace has none. */
  OUTBOUND: { worker: string; parameters: string[] } | null
}

export interface DispatchOptions {
  limits?: DispatchLimits
  outbound?: Record<string, unknown>
}

const PLACEMENT_TTL_MS = 2_000
const PLACEMENTS = 1_000
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS'])
const RESTARTED = "The Worker's process was restarted; the request may or may not have had its effect."

/** Placements by script. Plain values, so requests may share them. */
type Placements = Map<string, { placement: Placement; until: number }>

/** Makes the object a Worker finds in `env`: https://developers.cloudflare.com/cloudflare-for-platforms/workers-for-platforms/ */
export function dispatchNamespace(env: BindingEnv) {
  const places = new Places(env)
  return {
    get(name: string, args: unknown = {}, options: DispatchOptions = {}): object {
      if (typeof name !== 'string' || name === '') throw new TypeError('A script is asked for by its name, which is a text.')
      const { limits = {}, outbound = {} } = options
      const script = { namespace: env.NAMESPACE, name }
      const call = { ...script, args, limits, ...outboundOf(env.OUTBOUND, outbound) }
      return stub(env, places, call)
    },
  }
}

function outboundOf(configured: BindingEnv['OUTBOUND'], given: Record<string, unknown>): Pick<DispatchCall, 'outbound'> {
  if (!configured) return {}
  const undeclared = Object.keys(given).find((parameter) => !configured.parameters.includes(parameter))
  if (undeclared !== undefined) throw new TypeError(`The outbound parameter ${undeclared} is not declared by the binding.`)
  const parameters = Object.fromEntries(Object.entries(given).sort(([one], [other]) => (one < other ? -1 : 1)))
  return { outbound: { worker: configured.worker, parameters } }
}

/** A script as its caller sees it: `fetch`, and any method of its default entrypoint. */
function stub(env: BindingEnv, places: Places, script: Omit<DispatchCall, 'id'>): object {
  const call = (): DispatchCall => ({ ...script, id: crypto.randomUUID() })
  const dispatch = new Dispatching(env, places)
  return new Proxy(
    {
      fetch: async (input: RequestInfo | URL, init?: RequestInit) =>
        dispatch.fetch(input instanceof Request && init === undefined ? input : new Request(input, init), call()),
    },
    {
      get(target, key) {
        if (key === 'fetch') return target.fetch
        if (typeof key === 'symbol' || key === 'then') return undefined
        return later(() => dispatch.member(key, call()))
      },
    },
  )
}

class Dispatching {
  #env: BindingEnv
  #places: Places

  constructor(env: BindingEnv, places: Places) {
    this.#env = env
    this.#places = places
  }

  async fetch(request: Request, call: DispatchCall): Promise<Response> {
    const isRepeatable = request.body === null && REPEATABLE.has(request.method)
    // Without a body the same request can be sent twice.
    const send = (placement: Placement) => this.#at(placement, call).fetch(request)
    const placement = await this.#places.of(call)
    try {
      return await send(placement)
    } catch (error) {
      if (!isDisconnected(error)) throw error
      const next = await this.#places.after(call, { process: placement.process, dispatch: call.id })
      if (!isRepeatable && (next.entered || request.body !== null)) throw new Error(RESTARTED, { cause: error })
      return await this.#again(call, () => send(next.placement), next.placement)
    }
  }

  /** A member of the entrypoint, to be called or awaited, and the promise's own `call` for what is lost on the way. */
  async member(key: string, call: DispatchCall) {
    const placement = await this.#places.of(call)
    const entrypoint = this.#at(placement, call)
    const explained = async (error: unknown): Promise<never> => {
      if (!isDisconnected(error)) throw error
      await this.#places.after(call, { process: placement.process, dispatch: call.id })
      throw new Error(RESTARTED, { cause: error })
    }
    return { target: entrypoint, key, explained }
  }

  /** The second attempt is the last. */
  async #again(call: DispatchCall, send: () => Promise<Response>, { process }: Placement): Promise<Response> {
    try {
      return await send()
    } catch (error) {
      if (!isDisconnected(error)) throw error
      await this.#places.after(call, { process, dispatch: call.id })
      throw new Error(RESTARTED, { cause: error })
    }
  }

  #at({ address }: Placement, call: DispatchCall): Fetcher {
    return this.#env.DEBUG_PORT.connect(address).getEntrypoint('host', 'Dispatch', call)
  }
}

/** Where scripts run, as the Node side said a moment ago. */
class Places {
  #control: Fetcher
  #known: Placements = new Map()

  constructor({ CONTROL }: BindingEnv) {
    this.#control = CONTROL
  }

  /** Fails with 'Worker not found.' for a script that is not there. */
  async of({ namespace, name }: ScriptName): Promise<Placement> {
    const known = this.#known.get(name)
    if (known && known.until > Date.now()) return known.placement
    const answer = await this.#ask({ namespace, name })
    return answer.placement
  }

  /** Where a script runs after its process went away. Fails with the limit that the script exceeded, if it was this one. */
  async after({ namespace, name }: ScriptName, lost: LostDispatch): Promise<{ placement: Placement; entered?: boolean }> {
    this.#known.delete(name)
    return this.#ask({ namespace, name, lost })
  }

  async #ask(question: ScriptName & { lost?: LostDispatch }): Promise<{ placement: Placement; entered?: boolean }> {
    const response = await this.#control.fetch('http://control/place', { method: 'POST', body: JSON.stringify(question) })
    const answer: PlacementAnswer = await response.json()
    this.#known.delete(question.name)
    if ('error' in answer) throw new Error(answer.error)
    this.#known.set(question.name, { placement: answer.placement, until: Date.now() + PLACEMENT_TTL_MS })
    for (const oldest of [...this.#known.keys()].slice(0, Math.max(this.#known.size - PLACEMENTS, 0))) this.#known.delete(oldest)
    return answer
  }
}

/** Whether a call failed since the process at the other end is gone, and not by what the script threw: workerd marks what came from afar. */
function isDisconnected(error: unknown): boolean {
  return (
    error instanceof Error &&
    !('remote' in error && error.remote === true) &&
    /connection lost|disconnected|connect\(\)|connection refused|reset by peer/i.test(error.message)
  )
}

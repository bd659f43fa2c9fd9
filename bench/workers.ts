import type { ExtraWorker } from '@dot-do/worker-local/host/miniflare-options'

/** The least a Worker can do: what every rate is a ratio to. */
const HELLO = `export default { fetch: () => new Response('hello') }`

/** The least that crosses one service binding. */
const HOP = `export default { fetch: (request, env) => env.HELLO.fetch(request) }`

/** A method that does nothing, and one that answers what `auth.can` does without anything of the kernel. */
const BARE = `
import { WorkerEntrypoint } from 'cloudflare:workers'
export class Bare extends WorkerEntrypoint {
  async noop() {}
  async can({ permission }) { return { allowed: false, reason: 'bench has no permission that covers ' + permission } }
}
export default { fetch: () => new Response(null, { status: 404 }) }`

/** One bare method call per request. */
const RPC_HOP = `
export default {
  async fetch(_request, env) {
    await env.BARE.noop()
    return new Response('hello')
  },
}`

/** Makes many calls in one request, so that the request itself costs nothing per call. */
const LOOP = `
export default {
  async fetch(request, env) {
    const { searchParams } = new URL(request.url)
    const binding = env[searchParams.get('binding')]
    const [calls, lanes] = [Number(searchParams.get('calls')), Number(searchParams.get('lanes'))]
    let left = calls
    const lane = async () => {
      while (left-- > 0) if ((await binding.can({ permission: 'things:read' })).allowed) throw new Error('it may not')
    }
    await Promise.all(Array.from({ length: lanes }, lane))
    return new Response(String(calls))
  },
}`

/** Asks auth for one key, as the gateway does for one it has not in memory. */
const LOOKUP = `
export default {
  async fetch(request, env) {
    const key = new URL(request.url).searchParams.get('key')
    const { valid } = await env.AUTH.verifyKey({ key })
    return new Response(null, { status: valid ? 200 : 404 })
  },
}`

/** Before every name, so that no service is called the same. */
const PREFIX = 'bench-'

const BARE_BINDING = { service: `${PREFIX}bare`, entrypoint: 'Bare' }
const AUTH_BINDING = { service: 'auth', entrypoint: 'AuthService', props: { principal: { id: 'bench', permissions: ['keys:verify'] } } }
const KERNEL_BINDING = { service: 'auth', entrypoint: 'AuthService', props: { principal: { id: 'bench', permissions: [] } } }

/** The Workers that run beside the platform's own, in the same process, to compare with. */
export const WORKERS: ExtraWorker[] = [
  { name: `${PREFIX}hello`, source: HELLO, listens: true },
  { name: `${PREFIX}hop`, source: HOP, bindings: { HELLO: { service: `${PREFIX}hello` } }, listens: true },
  { name: `${PREFIX}bare`, source: BARE },
  { name: `${PREFIX}rpc-hop`, source: RPC_HOP, bindings: { BARE: BARE_BINDING }, listens: true },
  { name: `${PREFIX}lookup`, source: LOOKUP, bindings: { AUTH: AUTH_BINDING }, listens: true },
  { name: `${PREFIX}loop`, source: LOOP, bindings: { BARE: BARE_BINDING, KERNEL: KERNEL_BINDING }, listens: true },
]

/** Where one of them listens. */
export function urlOf(name: 'hello' | 'hop' | 'rpc-hop' | 'loop' | 'lookup', workerUrls: Record<string, string>): string {
  const url = workerUrls[PREFIX + name]
  if (url === undefined) throw new Error(`The Worker ${name} does not listen`)
  return url
}

import type { MiniflareOptions } from 'miniflare'
import { FRONT_SERVICE } from './local-configuration.ts'
import type { Scene } from './miniflare-options.ts'
import type { WorkspaceService } from './workspace.ts'

type WorkerOptions = MiniflareOptions['workers'][number]
type Env = NonNullable<WorkerOptions['config']['env']>

/** The internet: names are looked up first, and those that lead to this machine or a private network are refused. */
const INTERNET = 'internet'

/** The internet as a part of it sees it: the platform's own address, too, leads to its front door, as on Cloudflare. */
const OUTSIDE = 'outside'

const FLAG = 'global_fetch_strictly_public'

/** The Workers that ask in the name of published code. */
export function outboundWorkers({ services }: Pick<Scene, 'services'>): Set<string> {
  return new Set(services.flatMap(({ config }) => config.dispatch_namespaces ?? []).flatMap(({ outbound }) => outbound?.service ?? []))
}

/**
 * What leads a Worker's own requests to the internet alone: for those that ask in the name of published code, and those that say of themselves that what they fetch
 * is public. Bindings lead where they lead.
 */
export function internetFor(scene: Scene, { name, config }: WorkspaceService): Pick<WorkerOptions, 'dev'> {
  if (outboundWorkers(scene).has(name)) return { dev: { outboundService: { type: 'worker', worker: scene.internet ?? INTERNET } } }
  return saysPublic(config) ? { dev: { outboundService: { type: 'worker', worker: OUTSIDE } } } : {}
}

/** The Workers that these requests go through. */
export function internetWorkers(scene: Scene): WorkerOptions[] {
  const isAsked = outboundWorkers(scene).size > 0
  const isAskedByOwn = scene.services.some(({ config }) => saysPublic(config))
  const passOn = 'export default { fetch: (request, env) => env.PUBLIC.fetch(request) }'
  // What comes from the network names its host; between Workers nobody says it.
  const sortOut = `export default {
    fetch(request, env) {
      const { origin, host } = new URL(request.url)
      return origin === env.OWN ? env.FRONT.fetch(new Request(request, { headers: [...request.headers, ['Host', host]] })) : env.PUBLIC.fetch(request)
    },
  }`
  return [
    ...(scene.internet === undefined && (isAsked || isAskedByOwn) ? [worker(INTERNET, passOn, { PUBLIC: { type: 'network', allow: ['public'] } })] : []),
    ...(isAskedByOwn
      ? [
          worker(OUTSIDE, sortOut, {
            OWN: { type: 'text', value: `http://localhost:${scene.port}` },
            FRONT: { type: 'worker', worker: FRONT_SERVICE },
            PUBLIC: { type: 'worker', worker: scene.internet ?? INTERNET },
          }),
        ]
      : []),
  ]
}

function saysPublic({ compatibility_flags: flags }: WorkspaceService['config']): boolean {
  return flags?.includes(FLAG) === true
}

function worker(name: string, contents: string, env: Env): WorkerOptions {
  const mainModule = `${name}.js`
  return { config: { name, manifest: { mainModule, modules: { [mainModule]: { type: 'esm', contents } } }, compatibilityDate: '2026-11-01', env } }
}

import { WorkerEntrypoint } from 'cloudflare:workers'
import type { DispatchCall } from '../protocol.ts'
import { tell } from './activity.ts'
import { isolateOf } from './dispatch.ts'
import type { HostEnv } from './environment.ts'
import { isolatesOf } from './resident.ts'
import { hear } from './tail.ts'

/** What the Node side asks of this process, on a socket of its own that a token guards. */
export class Control extends WorkerEntrypoint<HostEnv & { TOKEN: string }> {
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname === '/ping') {
      tell()
      return new Response()
    }
    if (request.headers.get('authorization') !== `Bearer ${this.env.TOKEN}`) return new Response(null, { status: 403 })
    switch (pathname) {
      case '/drop':
        return this.#drop(await request.json())
      case '/hear':
        hear(await request.json())
        return new Response()
      case '/scheduled':
        return this.#scheduled(await request.json())
      default:
        return new Response(null, { status: 404 })
    }
  }

  async #drop({ key }: { key: string }): Promise<Response> {
    await Promise.all(isolatesOf(key).map((id) => this.env.ISOLATE.get(id).drop()))
    return new Response()
  }

  async #scheduled({ call, controller }: { call: DispatchCall; controller: { cron: string; scheduledTime: number } }): Promise<Response> {
    try {
      return Response.json(await isolateOf(this.ctx, this.env, call).runScheduled(call, controller))
    } catch (error) {
      return new Response(error instanceof Error ? error.message : String(error), { status: 500 })
    }
  }
}

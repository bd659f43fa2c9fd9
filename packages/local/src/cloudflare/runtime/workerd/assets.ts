import { WorkerEntrypoint } from 'cloudflare:workers'
import type { DeliveredAssets, ScriptName } from '../protocol.ts'
import { matchAsset } from './asset-routing.ts'
import type { HostEnv } from './environment.ts'

/** Serves a script's asset files as Cloudflare serves static assets. */
export class Assets extends WorkerEntrypoint<HostEnv, ScriptName & { assets?: DeliveredAssets }> {
  override async fetch(request: Request): Promise<Response> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } })
    const { assets } = this.ctx.props
    const { pathname, search } = new URL(request.url)
    const match = assets && matchAsset(assets, pathname)
    if (!match) return new Response(null, { status: 404 })
    if ('redirect' in match) return new Response(null, { status: 307, headers: { location: `${match.redirect}${search}` } })
    const file = assets.files[match.path]
    if (!file) return new Response(null, { status: 404 })
    const headers = new Headers({
      etag: `"${file.hash}"`,
      'cache-control': 'public, max-age=0, must-revalidate',
      'content-type': file.contentType ?? 'application/octet-stream',
    })
    if (match.status === 200 && isKnown(request, file.hash)) return new Response(null, { status: 304, headers })
    const body = request.method === 'HEAD' ? null : await this.#read(match.path, file.hash)
    return new Response(body, { status: match.status, headers })
  }

  async #read(path: string, hash: string): Promise<ReadableStream | null> {
    const { namespace, name } = this.ctx.props
    const response = await this.env.CONTROL.fetch(`http://control/asset?${new URLSearchParams({ namespace, name, path, hash })}`)
    if (!response.ok) throw new Error(`The asset ${path} could not be read.`)
    return response.body
  }
}

function isKnown(request: Request, hash: string): boolean {
  const known = request.headers.get('if-none-match')?.split(',') ?? []
  return known.some((tag) => tag.trim().replace(/^W\//, '') === `"${hash}"`)
}

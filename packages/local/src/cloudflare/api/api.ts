import { CloudflareError } from '../errors.ts'
import { Turns } from '../store/turns.ts'
import { accountRoutes } from './account.ts'
import { accountResourceRoutes } from './account-resources.ts'
import { accountVersionRoutes, WaitingVersions } from './account-versions.ts'
import { accountWorkerRoutes } from './account-workers.ts'
import { admit, callCounter } from './admission.ts'
import { AssetSessions } from './asset-sessions.ts'
import { assetSessionRoute, assetUploadRoute } from './assets.ts'
import type { ApiContext, Call, CloudflareApiOptions, Route } from './context.ts'
import { fail } from './envelope.ts'
import { namespaceRoutes } from './namespaces.ts'
import { noRoute, routeTable } from './route-table.ts'
import { scriptPartRoutes } from './script-parts.ts'
import { scriptRoutes } from './scripts.ts'
import { secretRoutes } from './secrets.ts'
import { TailSessions } from './tail-sessions.ts'
import { tailRoutes } from './tails.ts'

/** Below which path the API is. */
const BASE = '/client/v4'

const UPLOAD_PATH = /^\/accounts\/[^/]+\/workers\/assets\/upload\/?$/

/** Uploads are held in memory while they are checked, so the others wait. */
const UPLOADS_AT_ONCE = 4

/** The API and what its WebSockets need of it. */
export interface CloudflareApi {
  respond(request: Request): Promise<Response>
  context: ApiContext
}

const ROUTES: Route[] = [
  ...accountRoutes,
  ...namespaceRoutes,
  ...routesOfScripts('/accounts/:account/workers/dispatch/namespaces/:namespace/scripts'),
  ...routesOfScripts('/accounts/:account/workers/scripts'),
  assetUploadRoute,
]

/** Makes the REST API of Workers for Platforms as a function. It never throws: what goes wrong inside is answered as 500, and given to `onError`. */
export function createCloudflareApi(options: CloudflareApiOptions): (request: Request) => Promise<Response> {
  return openApi(options).respond
}

/** The same, for who also serves its WebSockets. */
export function openApi(options: CloudflareApiOptions): CloudflareApi {
  const now = options.now ?? Date.now
  const context: ApiContext = {
    ...options,
    now,
    assetSessions: new AssetSessions(now),
    tailSessions: new TailSessions(now),
    waitingVersions: new WaitingVersions(),
  }
  // The first route that fits answers: with an account of its own, more is checked of a Worker and told of it.
  const find = routeTable(options.account ? [...accountWorkerRoutes, ...accountVersionRoutes, ...accountResourceRoutes, ...ROUTES] : ROUTES)
  const overLimitSeconds = options.callLimit ? callCounter(options.callLimit, now) : () => 0
  const lanes = new Turns()
  let uploads = 0
  const respond = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    try {
      const path = pathIn(url)
      // Static files come with a token of their upload's own, which its route looks at.
      if (!UPLOAD_PATH.test(path)) admit(request, context.apiToken)
      const waitSeconds = overLimitSeconds()
      if (waitSeconds > 0) return fail(new CloudflareError(429, 10_429, 'Too many requests; wait and try again'), { 'retry-after': String(waitSeconds) })
      const { handler, params } = find(request.method, path)
      const call: Call = { request, url, params, context }
      checkAccount(call)
      return await (isUpload(request) ? lanes.run(String(uploads++ % UPLOADS_AT_ONCE), async () => await handler(call)) : handler(call))
    } catch (error) {
      if (!(error instanceof CloudflareError)) options.onError?.(error)
      return fail(error)
    }
  }
  return { respond, context }
}

function routesOfScripts(all: string): Route[] {
  const one = `${all}/:script`
  const [method, path, handler] = assetSessionRoute
  return [...scriptRoutes(all), ...scriptPartRoutes(one), ...secretRoutes(one), ...tailRoutes(one), [method, `${one}/${path}`, handler]]
}

function isUpload({ headers }: Request): boolean {
  return headers.get('content-type')?.startsWith('multipart/form-data') ?? false
}

function pathIn({ pathname }: URL): string {
  if (!pathname.startsWith(`${BASE}/`)) throw noRoute(pathname)
  return pathname.slice(BASE.length)
}

function checkAccount({ params, url, context }: Call): void {
  if (params['account'] !== undefined && params['account'] !== context.accountId) throw noRoute(url.pathname)
}

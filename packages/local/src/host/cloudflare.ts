import { join } from 'node:path'
import { startCloudflare, type LocalCloudflare } from '../cloudflare/cloudflare.ts'
import type { Ground } from './platform.ts'

/** The namespace that `wrangler secret` and `wrangler tail` mean, which have no option to name one. */
const ACCOUNT_NAMESPACE = 'dotdo-production'

/** Opens what publishes and runs Workers on this machine, with every namespace that some Worker dispatches to. Nothing where none does. */
export async function openCloudflare({ stateDir, secrets, sources, defer, onEvent }: Ground, home: string): Promise<LocalCloudflare | undefined> {
  const namespaces = sources.services.flatMap(({ config }) => config.dispatch_namespaces ?? []).map(({ namespace }) => namespace)
  if (namespaces.length === 0) return undefined
  const cloudflare = await startCloudflare({
    stateDir: join(stateDir, 'cloudflare'),
    apiToken: secrets['CLOUDFLARE_API_TOKEN'] ?? '',
    namespaces,
    accountNamespace: ACCOUNT_NAMESPACE,
    home,
    onEvent: ({ type, message }) => onEvent(type === 'log' ? { type: 'log', level: 'info', message } : { type: 'notice', message }),
    onError: (error) => onEvent({ type: 'notice', message: `The local Cloudflare API failed: ${error instanceof Error ? error.message : String(error)}` }),
  })
  defer(cloudflare.stop)
  return cloudflare
}

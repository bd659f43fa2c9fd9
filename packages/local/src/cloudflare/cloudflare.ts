import { join } from 'node:path'
import { serveCloudflareApi } from './api/serve.ts'
import { startRuntime, type DispatchNamespaceBinding, type Outbound, type RuntimeOptions } from './runtime/runtime.ts'
import { openStore } from './store/store.ts'

/** What the API asks of a client, as wrangler wants it told: CLOUDFLARE_API_BASE_URL, CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID. */
export interface CloudflareAccess {
  apiBaseUrl: string
  apiToken: string
  accountId: string
}

/** What is started, and where it keeps its state. */
export interface CloudflareOptions extends Pick<RuntimeOptions, 'home' | 'shards' | 'cpuMs' | 'residentBytes' | 'maxResident' | 'onEvent'> {
  /** A folder of its own. One process at a time may have it open. */
  stateDir: string
  apiToken: string
  /** 32 hexadecimal digits, as Cloudflare's are. */
  accountId?: string
  /** Where the API listens, on 127.0.0.1; a free port unless told. */
  port?: number
  /** The namespace whose scripts commands without a namespace mean, such as `wrangler secret` and `wrangler tail`. */
  accountNamespace?: string
  /** Namespaces to make when they are missing. */
  namespaces?: readonly string[]
  /** Hears of what went wrong inside the API. */
  onError?: (error: unknown) => void
}

/** Workers for Platforms on this machine: the API that publishes, and the processes that run what was published. */
export interface LocalCloudflare {
  access: CloudflareAccess
  /** A value for `env` of a Miniflare Worker: the binding of a dispatch namespace. */
  dispatchNamespace(namespace: string, outbound?: Outbound): DispatchNamespaceBinding
  /** The processes that run published code. */
  pids(): number[]
  stop(): Promise<void>
}

const ACCOUNT_ID = '00000000000000000000000000000000'

/** Opens the state, starts the processes and the API. Nothing is left behind when a part fails. */
export async function startCloudflare(options: CloudflareOptions): Promise<LocalCloudflare> {
  const { stateDir, apiToken, accountId = ACCOUNT_ID, port = 0, namespaces = [], accountNamespace, onError = () => {}, ...settings } = options
  const store = await openStore(join(stateDir, 'store'))
  for (const name of new Set(namespaces)) if (!store.getNamespace(name)) await store.createNamespace(name)
  const runtime = await startRuntime({ store, stateDir: join(stateDir, 'runtime'), ...settings })
  try {
    const api = await serveCloudflareApi({
      port,
      store,
      accountId,
      apiToken,
      tail: runtime.tail,
      onError,
      ...(accountNamespace === undefined ? {} : { accountNamespace }),
    })
    return {
      access: { apiBaseUrl: api.url, apiToken, accountId },
      dispatchNamespace: runtime.dispatchNamespace,
      pids: () => runtime.pids,
      async stop() {
        await api.close()
        await runtime.stop()
      },
    }
  } catch (error) {
    await runtime.stop()
    throw error
  }
}

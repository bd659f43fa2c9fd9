import { randomBytes } from 'node:crypto'
import { keepProcess } from '../kept-process.ts'
import type { ChildOptions } from './child.ts'
import { CONCURRENT_QUERIES } from './engine.ts'
import { DATABASE } from './engine-files.ts'

/** Where analytics are kept, and for whom. */
export interface OpenAnalyticsOptions {
  /** Made if absent. */
  dir: string
  /** The service's. */
  password: string
  onLog?: (line: string) => void
  /** How long one query may take; one that takes twice as long is killed with its process. */
  queryLimitMs?: number
}

/** A user of a ClickHouse, and where it answers. */
export interface ClickHouseAccess {
  url: string
  user: string
  password: string
}

/** The embedded ClickHouse. */
export interface OpenedAnalytics extends ClickHouseAccess {
  /** Who makes the tables. The user above may read and add rows, and nothing else. */
  owner: ClickHouseAccess
  /** The present process; another when it had to be opened again. */
  pid(): number | undefined
  close(): Promise<void>
}

/** The service's user. */
const SERVICE_USER = 'db'

/** Whether there is an engine for this machine. It is an optional dependency, 543 MB, and exists for Linux with glibc and for macOS. */
export async function isEngineInstalled(): Promise<boolean> {
  try {
    const { tryResolveLibchdb } = await import('chdb/libchdb')
    return tryResolveLibchdb() !== undefined
  } catch {
    return false
  }
}

/** Opens the embedded ClickHouse in a process of its own. Fails, naming the process, when another one has the directory, and where chdb is not installed. */
export async function openAnalytics({ dir, password, onLog = () => undefined, queryLimitMs = 20_000 }: OpenAnalyticsOptions): Promise<OpenedAnalytics> {
  const ownerPassword = randomBytes(32).toString('base64url')
  const kept = await keepProcess<ChildOptions>({
    module: new URL('./child.ts', import.meta.url),
    name: 'analytics',
    options: { dir, queryLimitMs, users: { [SERVICE_USER]: { password, role: 'service' }, owner: { password: ownerPassword, role: 'owner' } } },
    env: { UV_THREADPOOL_SIZE: String(CONCURRENT_QUERIES + 2), TZ: 'UTC' },
    onLog,
  })
  const url = `http://127.0.0.1:${kept.port}/${DATABASE}`
  return { url, user: SERVICE_USER, password, owner: { url, user: 'owner', password: ownerPassword }, pid: kept.pid, close: kept.close }
}

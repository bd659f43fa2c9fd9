import { applyAnalyticsSchema } from '@dot-do/worker-data/analytics-schema'
import { join } from 'node:path'
import type { ClickHouseAccess } from '../analytics/open.ts'
import type { PlatformListener } from './events.ts'
import { DATABASE_SERVICE, type Secrets } from './local-configuration.ts'
import { discoverServices } from './workspace.ts'

/** The analytics as the host uses them. */
export interface LocalAnalytics extends ClickHouseAccess {
  engine: 'embedded' | 'clickhouse'
  close(): Promise<void>
}

interface Settings {
  root: string
  stateDir: string
  secrets: Secrets
  /** A ClickHouse to use in place of the embedded one. */
  clickhouse?: ClickHouseAccess
  onEvent: PlatformListener
}

const NOT_INSTALLED =
  'No analytics: chdb is not installed for this machine (Linux with glibc, macOS), so events wait. CLICKHOUSE_URL names a ClickHouse to use.'

/**
 * Opens the analytics of a state directory, with their tables, or the ClickHouse that is named. None in a workspace that has no service for them, and where there is no
 * engine or it does not open: that is told, and events wait for a later start.
 */
export async function openLocalAnalytics({ root, stateDir, secrets, clickhouse, onEvent }: Settings): Promise<LocalAnalytics | undefined> {
  const service = (await discoverServices(root)).find(({ name }) => name === DATABASE_SERVICE)
  if (!service) return undefined
  const tell = (message: string): void => onEvent({ type: 'notice', message })
  const tables = join(service.folder, 'analytics')
  if (clickhouse) {
    await applyAnalyticsSchema(clickhouse, tables).catch((error: unknown) => tell(`No tables for analytics: ${messageOf(error)}`))
    return { ...clickhouse, engine: 'clickhouse', close: async () => {} }
  }
  const { isEngineInstalled, openAnalytics } = await import('../analytics/open.ts')
  if (!(await isEngineInstalled())) {
    tell(NOT_INSTALLED)
    return undefined
  }
  try {
    const opened = await openAnalytics({ dir: join(stateDir, 'analytics'), password: secrets['CLICKHOUSE_PASSWORD'] ?? '', onLog: tell })
    const { url, user, password, owner, close } = opened
    await applyAnalyticsSchema(owner, tables).catch(closing(close))
    return { url, user, password, engine: 'embedded', close }
  } catch (error) {
    tell(`No analytics, so events wait: ${messageOf(error)}`)
    return undefined
  }
}

/** What fails after something was opened leaves it closed. */
function closing(close: () => Promise<void>): (error: unknown) => Promise<never> {
  return async (error) => {
    await close()
    throw error
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

import { createClient } from '@clickhouse/client-web'
import type { ClickHouseClient } from '@clickhouse/client-web'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAnalytics } from '../../src/analytics/open.ts'
import type { ClickHouseAccess, OpenedAnalytics } from '../../src/analytics/open.ts'

/** Rows by id and the order they came in; a token that is seen again is known among a hundred. */
export const EVENTS = `create table events (id String, count UInt64, at DateTime64(3, 'UTC') default now64(3, 'UTC'))
  engine = MergeTree order by id settings non_replicated_deduplication_window = 100`

/** An embedded ClickHouse in a directory of its own, with the table `events`. */
export interface AnalyticsUnderTest extends OpenedAnalytics {
  dir: string
  lines: string[]
  /** ClickHouse's own client, as the service and as the owner. */
  client: ClickHouseClient
  ownerClient: ClickHouseClient
  /** One HTTP request as the service, unless its headers say otherwise. */
  ask(search: Record<string, string>, init?: RequestInit): Promise<Response>
  remove(): Promise<void>
}

/** Opens one; queries may take `queryLimitMs`. */
export async function analyticsUnderTest(queryLimitMs = 20_000): Promise<AnalyticsUnderTest> {
  const dir = await mkdtemp(join(tmpdir(), 'analytics-'))
  const lines: string[] = []
  const opened = await openAnalytics({ dir, password: 'secret', queryLimitMs, onLog: (line) => lines.push(line) })
  const [client, ownerClient] = [clientOf(opened), clientOf(opened.owner)]
  await ownerClient.command({ query: EVENTS })
  const remove = async (): Promise<void> => {
    await Promise.all([client.close(), ownerClient.close()])
    await opened.close()
    await rm(dir, { recursive: true, force: true })
  }
  return { ...opened, dir, lines, client, ownerClient, ask: (search, init) => request(opened, search, init), remove }
}

/** ClickHouse's own client for one of its users. */
export function clientOf({ url, user: username, password }: ClickHouseAccess): ClickHouseClient {
  return createClient({ url: new URL(url).origin, username, password, database: new URL(url).pathname.slice(1), keep_alive: { enabled: false } })
}

/** One HTTP request; a POST when it has a body. */
export function request({ url, user, password }: ClickHouseAccess, search: Record<string, string>, init: RequestInit = {}): Promise<Response> {
  const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password, ...init.headers }
  return fetch(`${new URL(url).origin}/?${new URLSearchParams(search)}`, { method: init.body === undefined ? 'GET' : 'POST', ...init, headers })
}

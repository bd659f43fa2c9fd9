import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPlatform, type Platform } from '@dot-do/worker-local/host/platform'
import { request } from 'undici'
import type { Target } from './load.ts'
import { startLoadGenerator, type LoadGenerator } from './load-generator.ts'
import { leaving, proceed } from './leavings.ts'
import { descendants, pin } from './processes.ts'
import { urlOf, WORKERS } from './workers.ts'

/** Everything that is measured, running. */
export interface Stage {
  /** Fails for a Worker to compare with on a stage that has none. */
  target(name: TargetName): Target
  loopUrl(): string
  engine: string
  load: LoadGenerator
  pids: { workerd: number; database: number[]; host: number }
  /** Whether workerd has a core for itself. */
  isPinned: boolean
  stop(): Promise<void>
}

/** What is compared with. */
type Reference = 'hello' | 'hop' | 'rpc-hop'

/** What is compared. */
type Candidate = 'gateway no-op' | 'thing read' | 'thing write'

/** What load is put on. */
export type TargetName = Reference | Candidate

/** How the bench's own key is limited: so high that it never refuses, so that what is measured is the counting. */
const LIMIT_PER_MINUTE = 10_000_000

/** Boots the platform on an empty state directory, with the Workers to compare with in the same process unless told, a key and a thing to read. */
export async function openStage(root: string, { extraWorkers = WORKERS } = {}): Promise<Stage> {
  proceed()
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-bench-'))
  const forget = leaving(() => rm(stateDir, { recursive: true, force: true }))
  const starting = startPlatform({ root, stateDir, port: 0, extraWorkers })
  const end = leaving(async () => (await starting).stop())
  const load = startLoadGenerator()
  const stop = async () => {
    load.stop()
    await end().finally(forget)
  }
  try {
    return { ...(await arrange(await starting, load)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function arrange(platform: Platform, load: LoadGenerator): Promise<Omit<Stage, 'stop'>> {
  const { workerd } = await platform.pids()
  const url = `http://127.0.0.1:${platform.port}`
  if (workerd === undefined || !platform.admin || !platform.database) throw new Error('The platform came up without workerd, database or admin key')
  const { key } = await post(`${url}/auth/apikeys`, platform.admin.adminKey, { name: 'bench', permissions: ['*'], limitPerMinute: LIMIT_PER_MINUTE })
  await post(`${url}/db/things`, String(key), thing('bench/one'))
  const pids = { workerd, database: descendants(process.pid, 'database/child'), host: process.pid }
  const isPinned = [pin(workerd, 0), ...[load.pid, ...pids.database, pids.host].map((pid) => pin(pid, 1))].every(Boolean)
  const { workerUrls, database } = platform
  const target = (name: TargetName) => (isReference(name) ? referenceAt(urlOf(name, workerUrls)) : candidatesAt(url, String(key))[name])
  return { target, loopUrl: () => urlOf('loop', workerUrls), engine: database.engine, load, pids, isPinned }
}

function isReference(name: TargetName): name is Reference {
  return name === 'hello' || name === 'hop' || name === 'rpc-hop'
}

function referenceAt(url: string): Target {
  return { url: `${url}/`, method: 'GET', headers: {}, status: 200 }
}

function candidatesAt(url: string, key: string): Record<Candidate, Target> {
  const headers = { Authorization: `Bearer ${key}` }
  return {
    'gateway no-op': { url: `${url}/auth/roles`, method: 'GET', headers, status: 200 },
    'thing read': { url: `${url}/db/things/bench/one`, method: 'GET', headers, status: 200 },
    'thing write': {
      url: `${url}/db/things`,
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: JSON.stringify(thing('bench/w{n}')),
      status: 201,
    },
  }
}

function thing(id: string) {
  return { $type: 'Bench', $id: id, content: 'A thing of the size that notes have, to be read and written again and again.', data: { tags: ['bench'] } }
}

async function post(url: string, key: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await request(url, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body: JSON.stringify(body) })
  const { data, error } = (await answer.body.json()) as { data?: Record<string, unknown>; error?: { message: string } }
  if (!data) throw new Error(`POST ${url}: ${answer.statusCode} ${error?.message}`)
  return data
}

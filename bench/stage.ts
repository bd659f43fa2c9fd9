import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPlatform, type Platform } from '@dot-do/worker-local/host/platform'
import { request } from 'undici'
import type { Target } from './load.ts'
import { startLoadGenerator, type LoadGenerator } from './load-generator.ts'
import { leaving, proceed } from './leavings.ts'
import { startPeer, type Peer } from './peer.ts'
import { descendants, pin } from './processes.ts'
import { urlOf, WORKERS } from './workers.ts'

/** Everything that is measured, running. */
export interface Stage {
  /** Fails for a Worker to compare with on a stage that has none. */
  target(name: TargetName): Target
  loopUrl(): string
  lookupUrl(): string
  /** Makes a key with these attributes. */
  makeKey(about: object): Promise<string>
  engine: string
  load: LoadGenerator
  pids: { workerd: number; database: number[]; host: number; peer: number[] }
  /** What the gateway of others counts in; absent where there is none to compare with. */
  peerCounts: Peer['counts'] | undefined
  /** Whether workerd has a core for itself. */
  isPinned: boolean
  stop(): Promise<void>
}

/** What is compared with. */
type Reference = 'hello' | 'hop' | 'rpc-hop' | 'fastify'

/** What is compared. */
type Candidate = 'gateway no-op' | 'gateway no-op leased' | 'gateway no-op jwt' | 'thing read' | 'thing write'

/** What load is put on. */
export type TargetName = Reference | Candidate

/** How the bench's own keys and users are limited: so high that nothing is ever refused, so that what is measured is the counting. */
const EXACT = 5_000_000
const LEASED = 9_000_000
const VARIABLES = { gateway: { EXACT_LIMIT: String(EXACT), LIMIT_PER_MINUTE: String(LEASED) } }

/** Boots the platform on an empty state directory, with the Workers to compare with in the same process unless told, a key and a thing to read. */
export async function openStage(root: string, { extraWorkers = WORKERS, hasPeer = false } = {}): Promise<Stage> {
  proceed()
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-bench-'))
  const forget = leaving(() => rm(stateDir, { recursive: true, force: true }))
  const starting = startPlatform({ root, stateDir, port: 0, extraWorkers, variables: VARIABLES })
  const end = leaving(async () => (await starting).stop())
  const load = startLoadGenerator()
  const peer = hasPeer ? await startPeer() : undefined
  const stop = async () => {
    load.stop()
    peer?.stop()
    await end().finally(forget)
  }
  try {
    return { ...(await arrange(await starting, load, peer)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function arrange(platform: Platform, load: LoadGenerator, peer: Peer | undefined): Promise<Omit<Stage, 'stop'>> {
  const { workerd } = await platform.pids()
  const url = `http://127.0.0.1:${platform.port}`
  if (workerd === undefined || !platform.admin || !platform.database) throw new Error('The platform came up without workerd, database or admin key')
  const { adminKey } = platform.admin
  const makeKey = async (about: object) => String((await post(`${url}/auth/apikeys`, adminKey, { name: 'bench', ...about }))['key'])
  const [exact, leased] = [await makeKey({ permissions: ['*'], limitPerMinute: EXACT }), await makeKey({ permissions: ['*'], limitPerMinute: LEASED })]
  const token = await signIn(url, platform.signIn?.mailbox.url)
  await post(`${url}/db/things`, exact, thing('bench/one'))
  const pids = { workerd, database: descendants(process.pid, 'database/child'), host: process.pid, peer: peer?.pids ?? [] }
  const isPinned = [...[workerd, ...pids.peer].map((pid) => pin(pid, 0)), ...[load.pid, ...pids.database, pids.host].map((pid) => pin(pid, 1))].every(Boolean)
  const { workerUrls, database } = platform
  const candidates = candidatesAt(url, { exact, leased, token })
  const target = (name: TargetName) => (name === 'fastify' ? peerAt(peer) : isReference(name) ? referenceAt(urlOf(name, workerUrls)) : candidates[name])
  const urls = { loopUrl: () => urlOf('loop', workerUrls), lookupUrl: () => urlOf('lookup', workerUrls) }
  return { target, ...urls, makeKey, engine: database.engine, load, pids, peerCounts: peer?.counts, isPinned }
}

function isReference(name: TargetName): name is Exclude<Reference, 'fastify'> {
  return name === 'hello' || name === 'hop' || name === 'rpc-hop'
}

function referenceAt(url: string): Target {
  return { url: `${url}/`, method: 'GET', headers: {}, status: 200 }
}

/** The same call to the gateway of others. */
function peerAt(peer: Peer | undefined): Target {
  if (!peer) throw new Error('There is no gateway of others on this stage')
  return { url: `${peer.url}/auth/can?permission=db:query`, method: 'GET', headers: { Authorization: `Bearer ${peer.key}` }, status: 200 }
}

function candidatesAt(url: string, { exact, leased, token }: Record<'exact' | 'leased' | 'token', string>): Record<Candidate, Target> {
  const headers = { Authorization: `Bearer ${exact}` }
  const noop = (credential: string) => ({
    url: `${url}/auth/can?permission=db:query`,
    method: 'GET',
    headers: { Authorization: `Bearer ${credential}` },
    status: 200,
  })
  return {
    'gateway no-op': noop(exact),
    'gateway no-op leased': noop(leased),
    'gateway no-op jwt': noop(token),
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

/** Signs somebody in by a code from the mailbox; the access token. */
async function signIn(url: string, mailboxUrl: string | undefined): Promise<string> {
  const email = 'bench@example.com'
  await post(`${url}/auth/codes`, undefined, { email })
  const mails = (await (await request(`${mailboxUrl}/mails`)).body.json()) as { subject: string; text: string }[]
  const code = /\b\d{8}\b/.exec(`${mails[0]?.subject}\n${mails[0]?.text}`)?.[0]
  const { accessToken } = await post(`${url}/auth/sessions`, undefined, { email, code, device: 'bench' })
  return String(accessToken)
}

async function post(url: string, key: string | undefined, body: unknown): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }
  const answer = await request(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const { data, error } = (await answer.body.json()) as { data?: Record<string, unknown>; error?: { message: string } }
  if (!data) throw new Error(`POST ${url}: ${answer.statusCode} ${error?.message}`)
  return data
}

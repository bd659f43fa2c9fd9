import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startPlatform, type Platform } from '@dot-do/worker-local/host/platform'
import { Agent, request, type Dispatcher } from 'undici'
import { leaving } from './leavings.ts'
import { residentBytes } from './processes.ts'
import { putScript } from './script-upload.ts'
import { latencyOf, median, type Latency } from './statistics.ts'

/** What publishing costs. Latencies are of one request after another. */
export interface PublishingFigures {
  /** A Worker that asks a published one, over its dispatch namespace, and one that asks a Worker of its own process, over a service binding; by turns. */
  dispatch: Latency
  static: Latency
  /** The first answer of a script that no process holds. */
  cold: Latency
  /** From the answer to a rollback until a visitor gets the former version. */
  rollbackVisibleMs: number
  /** `POST /deploy` of a script of 100 KB, whole. */
  deployMs: number
  /** What the processes of published code hold: with 500 tenants' Workers just asked, and once these have been idle. */
  residentBytes: number
  idleBytes: number
}

const NAMESPACE = 'dotdo-tenant'
const TENANTS = 500
const COLD_SCRIPTS = 60
const TURNS = 3_000
const IDLE_MS = 45_000

/** Asks what it is told to: the published Worker of a name, or its neighbour. */
const ASKER = `
export default {
  fetch(request, env) {
    const name = new URL(request.url).pathname.slice(1)
    return name === 'static' ? env.STATIC.fetch(request) : env.NAMESPACE.get(name).fetch(request)
  },
}`

const SAYS_HELLO = `export default { fetch: () => new Response('hello') }`

interface Stage {
  platform: Platform
  askerUrl: string
  agent: Dispatcher
}

/** Publishes to a platform of its own, and asks. */
export async function measurePublishing(root: string): Promise<PublishingFigures> {
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-bench-'))
  const forget = leaving(() => rm(stateDir, { recursive: true, force: true }))
  const extraWorkers = [
    { name: 'bench-static', source: SAYS_HELLO },
    { name: 'bench-asker', source: ASKER, bindings: { STATIC: { service: 'bench-static' } }, namespaces: { NAMESPACE }, listens: true },
  ]
  const platform = await startPlatform({ root, stateDir, port: 0, extraWorkers })
  const end = leaving(() => platform.stop())
  const agent = new Agent({ connections: 1 })
  try {
    const stage = { platform, askerUrl: platform.workerUrls['bench-asker'] ?? '', agent }
    return { ...(await measureDispatch(stage)), cold: await measureCold(stage), ...(await measureDeployment(stage)), ...(await measureMemory(stage)) }
  } finally {
    await agent.close()
    await end().finally(forget)
  }
}

async function measureDispatch(stage: Stage): Promise<Pick<PublishingFigures, 'dispatch' | 'static'>> {
  await upload(stage, 'warm')
  const times: Record<string, number[]> = { warm: [], static: [] }
  for (let turn = -500; turn < TURNS; turn++) {
    for (const name of turn % 2 === 0 ? ['warm', 'static'] : ['static', 'warm']) {
      const elapsed = await timeOf(stage, name)
      if (turn >= 0) times[name]?.push(elapsed)
    }
  }
  return { dispatch: latencyOf(times['warm'] ?? []), static: latencyOf(times['static'] ?? []) }
}

async function measureCold(stage: Stage): Promise<Latency> {
  const names = Array.from({ length: COLD_SCRIPTS }, (_, index) => `cold-${index}`)
  for (const name of names) await upload(stage, name)
  const times: number[] = []
  for (const name of names) times.push(await timeOf(stage, name))
  return latencyOf(times)
}

async function measureDeployment({ platform, agent }: Stage): Promise<Pick<PublishingFigures, 'deployMs' | 'rollbackVisibleMs'>> {
  const url = `http://127.0.0.1:${platform.port}`
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${platform.admin?.adminKey}` }
    const answer = await request(url + path, { dispatcher: agent, method: 'POST', headers, body: JSON.stringify(body) })
    const text = await answer.body.text()
    if (answer.statusCode >= 300) throw new Error(`POST ${path}: ${answer.statusCode} ${text}`)
  }
  const visit = async () => {
    const answer = await request(url, { dispatcher: agent, headers: { host: `bench.do.localhost:${platform.port}` } })
    return answer.body.text()
  }
  const durations: number[] = []
  for (let version = 1; version <= 8; version++) {
    const script = `export default { fetch: () => new Response('${version}') }\n// ${'x'.repeat(100_000)}`
    const start = performance.now()
    await post('/deploy/deploy', { service: 'bench', script: Buffer.from(script).toString('base64') })
    durations.push(performance.now() - start)
  }
  const visible: number[] = []
  for (let version = 7; version >= 3; version--) {
    while ((await visit()) !== String(version + 1)) await delay(5)
    await post('/deploy/rollback', { service: 'bench' })
    const start = performance.now()
    while ((await visit()) !== String(version)) await delay(5)
    visible.push(performance.now() - start)
  }
  return { deployMs: median(durations), rollbackVisibleMs: Math.max(...visible) }
}

async function measureMemory(stage: Stage): Promise<Pick<PublishingFigures, 'residentBytes' | 'idleBytes'>> {
  const names = Array.from({ length: TENANTS }, (_, index) => `tenant-${index}`)
  for (const name of names) await upload(stage, name)
  for (const name of names) await timeOf(stage, name)
  const held = () => (stage.platform.cloudflare?.pids() ?? []).reduce((total, pid) => total + residentBytes(pid), 0)
  const resident = held()
  await delay(IDLE_MS)
  return { residentBytes: resident, idleBytes: held() }
}

async function timeOf({ askerUrl, agent }: Stage, name: string): Promise<number> {
  const start = performance.now()
  const { statusCode, body } = await request(`${askerUrl}/${name}`, { dispatcher: agent })
  const text = await body.text()
  if (statusCode !== 200 || text !== 'hello') throw new Error(`${name} answered ${statusCode}: ${text}`)
  return performance.now() - start
}

async function upload({ platform }: Stage, name: string): Promise<void> {
  if (!platform.cloudflare) throw new Error('The platform came up without a local Cloudflare')
  await putScript(platform.cloudflare.access, { namespace: NAMESPACE, name, code: SAYS_HELLO })
}

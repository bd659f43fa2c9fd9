import { startPlatform, type Platform } from '@dot-do/worker-local/host/platform'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { workspaceWith, type BrokenWorkspace } from './broken-workspace.ts'
import { stateDirectory } from './dev-program.ts'
import { adminFetch } from './platform.ts'

/** In the place of `mcp`: a Worker that answers, throws or hangs, as it is told, and counts how often it was asked. */
const BROKEN = `
import { WorkerEntrypoint } from 'cloudflare:workers'
let mode = 'answers'
let asked = 0
async function behave() {
  asked++
  if (mode === 'throws' || (mode === 'throws once' && asked === 1)) throw new Error('broken on purpose')
  if (mode === 'away once' && asked === 1) throw Object.assign(new Error('not now'), { code: 'UNAVAILABLE' })
  if (mode === 'refuses') throw Object.assign(new Error('no'), { code: 'NOT_FOUND' })
  if (mode === 'hangs') await scheduler.wait(120_000)
}
export class McpService extends WorkerEntrypoint {
  async health() {
    await behave()
    return { status: 'ok', service: 'mcp', version: '0', checks: {} }
  }
  async fetch(request) {
    await behave()
    return new Response('sent')
  }
}
export default {
  async fetch(request) {
    const told = decodeURIComponent(new URL(request.url).pathname.slice(1))
    if (told === '') return new Response(String(asked))
    mode = told
    asked = 0
    return new Response('ok')
  }
}`

/** Tells the broken Worker what to do, by the door that only the platform uses. */
const TELLER = {
  name: 'teller',
  source: 'export default { fetch: (request, env) => env.BROKEN.fetch(request) }',
  bindings: { BROKEN: { service: 'mcp' } },
  listens: true,
}

/** Where there is no more to a test than that, a call is given up after a second; a busy machine's database may take longer, but is not asked. */
const TIMEOUT_MS = '1000'

let workspace: BrokenWorkspace
let platform: Platform
let state: Awaited<ReturnType<typeof stateDirectory>>

beforeAll(async () => {
  workspace = await workspaceWith('mcp', BROKEN)
  state = await stateDirectory()
  platform = await startPlatform({ root: workspace.root, stateDir: state.dir, port: 0, extraWorkers: [TELLER], variables: { gateway: { TIMEOUT_MS } } })
})
afterAll(async () => {
  await platform?.stop()
  await state?.remove()
  await workspace?.remove()
})

async function tell(mode: string): Promise<void> {
  await fetch(`${platform.workerUrls['teller']}/${encodeURIComponent(mode)}`)
}

async function askedCount(): Promise<number> {
  return Number(await (await fetch(`${platform.workerUrls['teller']}/`)).text())
}

function ask(path: string, body?: unknown): Promise<Response> {
  return adminFetch({ url: platform.url.replace('localhost', '127.0.0.1'), adminKey: platform.admin?.adminKey ?? '' }, path, body)
}

const read = () => ask('/mcp/health')

describe('a service that is not well', () => {
  it.each(['throws once', 'away once'])('and %s is asked once more for what only reads', async (mode) => {
    await tell(mode)

    expect((await read()).status).toBe(200)
    expect(await askedCount()).toBe(2)
  })

  it('is asked once for what changes something', async () => {
    await tell('throws once')

    const answer = await ask('/mcp', {})

    expect(answer.status).toBe(503)
    expect(answer.headers.get('Retry-After')).toBe('1')
    expect(await answer.json()).toMatchObject({ error: { code: 'UNAVAILABLE', message: 'mcp cannot be reached at the moment' } })
    expect(await askedCount()).toBe(1)
  })

  it('is not waited for without end', async () => {
    await tell('hangs')

    const answers = await Promise.all([read(), ask('/mcp', {})])

    expect(answers.map(({ status }) => status)).toEqual([503, 503])
    for (const answer of answers) expect(await answer.json()).toMatchObject({ error: { code: 'UNAVAILABLE', message: 'mcp did not answer within 1 s' } })
  })

  it('but answers, whatever it answers, is asked on', async () => {
    await tell('refuses')

    for (let count = 0; count < 20; count++) expect((await read()).status).toBe(404)
    expect(await askedCount()).toBe(20)
  })
})

describe('a service that is gone', () => {
  it('is sent nothing for a moment, which hinders no other, shows in /health, and ends by itself', async () => {
    // More failures than half of what was answered before.
    await tell('throws')
    let refused = await ask('/mcp', {})
    for (let count = 0; count < 60 && !(await refused.clone().text()).includes('tried again'); count++) refused = await ask('/mcp', {})
    const asked = await askedCount()

    expect(await refused.json()).toMatchObject({ error: { code: 'UNAVAILABLE', message: 'mcp does not answer; it is tried again in a moment' } })
    expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0)
    expect((await read()).status).toBe(503)
    expect(await askedCount()).toBe(asked)
    expect((await ask('/health')).status).toBe(503)

    await tell('answers')
    const health = await ask('/health')
    expect(await health.json()).toMatchObject({
      data: { status: 'degraded', checks: { mcp: { status: 'degraded', message: expect.stringContaining('mcp did not answer') as unknown } } },
    })
    expect((await ask('/auth/apikeys')).status).toBe(200)

    await expect.poll(async () => (await read()).status, { timeout: 20_000, interval: 200 }).toBe(200)
    await expect.poll(async () => ((await (await ask('/health')).json()) as { data: { status: string } }).data.status).toBe('ok')
  })
})

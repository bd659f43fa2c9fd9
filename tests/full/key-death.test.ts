import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openFeed } from '../flows/feed.ts'
import { adminFetch, bootPlatform, type BootedPlatform } from './platform.ts'
import { publish } from './published.ts'

/** A revoked credential is refused everywhere within five seconds. One that is taken in the sixth fails. */
const DEAD_AFTER_MS = 6_000

/** A published worker that tells its visitors their tenant, and one that streams for as long as it is listened to. */
const PRIVATE = `export default { fetch(request) {
  if (new URL(request.url).pathname !== '/stream') return new Response('private')
  let timer
  return new Response(new ReadableStream({
    start(controller) { timer = setInterval(() => controller.enqueue(new TextEncoder().encode('still here\\n')), 200) },
    cancel() { clearInterval(timer) },
  }))
} }`

/** One way in, by which a credential is asked again and again. */
type Door = [name: string, status: number, ask: (credential: string) => Promise<number>]

let platform: BootedPlatform

beforeAll(async () => {
  platform = await bootPlatform()
  const published = await publish(platform, 'secretive', PRIVATE, { tier: 'tenant', tenant: 'default' })
  if (published.status !== 201) throw new Error(`Nothing was published: ${JSON.stringify(published)}`)
})
afterAll(() => platform.stop())

/** Asks as a program does, each time from another address. */
async function ask(path: string, { credential, host, body }: { credential?: string; host?: string; body?: unknown }) {
  const { port } = new URL(platform.url)
  const headers = {
    host: host === undefined ? `localhost:${port}` : `${host}.localhost:${port}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
  }
  const method = body === undefined ? 'GET' : 'POST'
  const answer = await request(`http://127.0.0.1:${port}${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
  return { status: answer.statusCode, text: await answer.body.text() }
}

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }
const DOORS: Door[] = [
  ['the gateway', 200, async (credential) => (await ask('/db/things', { credential })).status],
  ['a service’s host', 200, async (credential) => (await ask('/things', { credential, host: 'db.do' })).status],
  ['mcp', 200, async (credential) => (await ask('/mcp', { credential, body: LIST })).status],
  ['the tools of one service', 200, async (credential) => (await ask('/db/mcp', { credential, body: LIST })).status],
  ['deploy’s host', 200, async (credential) => (await ask('/deployments', { credential, host: 'deploy.do' })).status],
  ['a private published worker', 200, async (credential) => (await ask('/', { credential, host: 'default.secretive.tenant.do' })).status],
]

interface Made {
  credential: string
  revoke(): Promise<unknown>
}

async function makeKey(): Promise<Made> {
  const input = { name: 'to die', permissions: ['things:read', 'deployments:read', 'keys:read'], limitPerMinute: 100_000 }
  const answer = await adminFetch(platform, '/auth/apikeys', input)
  const { data } = (await answer.json()) as { data: { id: string; key: string } }
  return {
    credential: data.key,
    revoke: () => request(`${platform.url}/auth/apikeys/${data.id}`, { method: 'DELETE', headers: { authorization: `Bearer ${platform.adminKey}` } }),
  }
}

/** Signs somebody in by a code from the mailbox. */
async function signIn(): Promise<{ accessToken: string; session: { id: string } }> {
  const email = `${crypto.randomUUID()}@example.com`
  await ask('/auth/codes', { body: { email } })
  const mails = (await (await fetch(`${platform.mailboxUrl}/mails`)).json()) as { to: string[]; subject: string; text: string }[]
  const mail = mails.find(({ to }) => to.includes(email))
  const code = /\b\d{8}\b/.exec(`${mail?.subject}\n${mail?.text}`)?.[0]
  const { text } = await ask('/auth/sessions', { body: { email, code, device: 'Test' } })
  return (JSON.parse(text) as { data: { accessToken: string; session: { id: string } } }).data
}

async function makeSession(): Promise<Made> {
  const { accessToken, session } = await signIn()
  const revoke = () =>
    request(`${platform.url}/auth/sessions/${session.id}?strict=true`, { method: 'DELETE', headers: { authorization: `Bearer ${accessToken}` } })
  return { credential: accessToken, revoke }
}

/** How long each door went on letting a credential in after its revocation was answered, with what it said last; all are asked all the time. */
async function lifeAfterDeath({ credential, revoke }: Made, doors: Door[]): Promise<{ door: string; status: number; ms: number }[]> {
  let revokedAt = Number.POSITIVE_INFINITY
  const watching = doors.map(async ([door, , knock]) => {
    let [status, ms] = [0, 0]
    do {
      const askedAt = performance.now()
      status = await knock(credential)
      ms = Math.max(0, askedAt - revokedAt)
    } while (status !== 401 && ms < DEAD_AFTER_MS)
    return { door, status, ms }
  })
  await revoke()
  revokedAt = performance.now()
  return Promise.all(watching)
}

describe('a revoked key', () => {
  it('is taken at each door before, and refused at all of them within five seconds', async () => {
    const made = await makeKey()
    const before = await Promise.all(DOORS.map(async ([door, , knock]) => [door, await knock(made.credential)]))

    const after = await lifeAfterDeath(made, DOORS)

    expect(before).toEqual(DOORS.map(([door, status]) => [door, status]))
    expect(after.map(({ door, status }) => [door, status])).toEqual(DOORS.map(([door]) => [door, 401]))
    expect(after.filter(({ ms }) => ms >= DEAD_AFTER_MS)).toEqual([])
  })

  it('hears no more of a change feed that it opened before', async () => {
    const made = await makeKey()
    const feed = await openFeed({ url: platform.url, key: made.credential })

    const end = feed.events(1_000).then(
      () => 'went on',
      () => performance.now(),
    )
    await made.revoke()
    const revokedAt = performance.now()

    expect(Number(await end) - revokedAt).toBeLessThan(DEAD_AFTER_MS)
  })

  it('hears no more of a stream of a published worker, and one in force hears on', async () => {
    const [dying, living] = [await makeKey(), await makeKey()]
    const { port } = new URL(platform.url)
    const open = async ({ credential }: Made) => {
      const headers = { host: `default.secretive.tenant.do.localhost:${port}`, authorization: `Bearer ${credential}` }
      return (await request(`http://127.0.0.1:${port}/stream`, { headers })).body[Symbol.asyncIterator]()
    }
    const [cut, kept] = [await open(dying), await open(living)]
    const end = (async () => {
      while (!(await cut.next()).done);
      return 'ended well'
    })().catch(() => performance.now())
    await dying.revoke()
    const revokedAt = performance.now()

    expect(Number(await end) - revokedAt).toBeLessThan(DEAD_AFTER_MS)
    expect((await kept.next()).done).toBe(false)
    await kept.return?.()
  })
})

describe('a session that was revoked strictly', () => {
  it('is refused at each door within five seconds', async () => {
    const doors = DOORS.filter(([door]) => door === 'the gateway' || door === 'mcp')

    const after = await lifeAfterDeath(await makeSession(), doors)

    expect(after).toMatchObject([{ status: 401 }, { status: 401 }])
    expect(after.filter(({ ms }) => ms >= DEAD_AFTER_MS)).toEqual([])
  })

  it('hears no more of a change feed that it opened before', async () => {
    const made = await makeSession()
    const feed = await openFeed({ url: platform.url, key: made.credential })

    const end = feed.events(1_000).then(
      () => 'went on',
      () => performance.now(),
    )
    await made.revoke()
    const revokedAt = performance.now()

    expect(feed.status).toBe(200)
    expect(Number(await end) - revokedAt).toBeLessThan(DEAD_AFTER_MS)
  })
})

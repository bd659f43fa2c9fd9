import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExtraWorker } from './miniflare-options.ts'
import { writePrivateFile } from './private-file.ts'
import type { LocalWorker } from './runtime.ts'

const AUTH_SERVICE = 'auth'

/** A Worker that holds the operator's rights, which no configuration of the workspace does. It answers whoever knows the token of this start, that is the host. */
const SOURCE = `
export default {
  async fetch(request, env) {
    if (request.headers.get('x-console-token') !== env.CONSOLE_TOKEN) return new Response(null, { status: 404 })
    const { operation, input } = await request.json()
    try {
      return Response.json({ output: await env.AUTH_SERVICE[operation](input) })
    } catch (error) {
      return Response.json({ message: error.message }, { status: 502 })
    }
  },
}
`

/** The console of one start. */
export interface Console {
  worker: ExtraWorker
  token: string
}

/** Makes the console, when there is an auth service for it to speak to. */
export function createConsole(services: string[]): Console | undefined {
  if (!services.includes(AUTH_SERVICE)) return undefined
  const token = randomBytes(32).toString('base64url')
  const principal = { id: 'console', permissions: ['*'], tenant: '*' }
  const bindings = { AUTH_SERVICE: { service: AUTH_SERVICE, entrypoint: 'AuthService', props: { principal } } }
  return { worker: { name: 'console', source: SOURCE, bindings, vars: { CONSOLE_TOKEN: token } }, token }
}

/** What `DIR/dev.json` tells about the platform that runs, or ran last, on a state directory. */
export interface DevFile {
  url: string
  adminKey?: string
  pid: number
  services: string[]
  /** Where mails are read. */
  mailbox?: string
  /** The local Cloudflare API, as wrangler wants it told. */
  cloudflare?: { apiBaseUrl: string; apiToken: string; accountId: string }
}

/** Finds the admin key of a state directory still good, or has another made. */
export async function ensureAdminKey(stateDir: string, worker: LocalWorker, token: string): Promise<{ adminKey: string; isNew: boolean }> {
  const call = async (operation: string, input: object): Promise<Record<string, unknown>> => {
    const headers = { 'x-console-token': token }
    const response = await worker.fetch('http://console', { method: 'POST', headers, body: JSON.stringify({ operation, input }) })
    const answer = (await response.json()) as { output?: Record<string, unknown>; message?: string }
    if (answer.output === undefined) throw new Error(`auth.${operation} failed: ${answer.message}`)
    return answer.output
  }
  const known = (await readDevFile(stateDir))?.adminKey
  if (known !== undefined && (await call('verifyKey', { key: known }))['valid'] === true) return { adminKey: known, isNew: false }
  const made = await call('createKey', { name: 'admin', permissions: ['*'], tenant: 'default', limitPerMinute: 100_000 })
  if (typeof made['key'] !== 'string') throw new Error('auth.createKey answered without a key')
  return { adminKey: made['key'], isNew: true }
}

/** Reads `DIR/dev.json`; nothing when there is none, or none that can be read. */
export async function readDevFile(stateDir: string): Promise<DevFile | undefined> {
  try {
    return JSON.parse(await readFile(join(stateDir, 'dev.json'), 'utf8'))
  } catch {
    return undefined
  }
}

/** Writes `DIR/dev.json`, which others learn the address and the admin key from. */
export async function writeDevFile(stateDir: string, file: DevFile): Promise<void> {
  await writePrivateFile(join(stateDir, 'dev.json'), JSON.stringify(file, null, 2))
}

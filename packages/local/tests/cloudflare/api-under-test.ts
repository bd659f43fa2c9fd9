import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createCloudflareApi } from '../../src/cloudflare/api/api.ts'
import type { CloudflareApiOptions } from '../../src/cloudflare/api/context.ts'
import { openStore, type Store } from '../../src/cloudflare/store/store.ts'

/** What the API answered, out of its envelope. */
export interface Answer {
  status: number
  headers: Headers
  success: boolean
  errors: { code: number; message: string }[]
  result: unknown
  resultInfo: unknown
}

/** The API over a store of its own, with the namespace `tenants`. */
export interface ApiUnderTest {
  store: Store
  /** Below `/client/v4/accounts/acc`, with the right token unless other headers are given. */
  ask(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answer>
  /** Uploads a script to `tenants`. */
  upload(name: string, form: FormData, query?: string): Promise<Answer>
  respond(request: Request): Promise<Response>
}

/** The path of the namespace that is there. */
export const TENANTS = '/workers/dispatch/namespaces/tenants'

/** An instant on which tests stand. */
export const NOW = Date.parse('2026-11-21T12:00:00Z')

/** A directory of its own, gone at the end of the test. */
export async function directory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'cloudflare-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

/** Makes one; its clock stands unless told otherwise. */
export async function apiUnderTest(options: Partial<CloudflareApiOptions> = {}): Promise<ApiUnderTest> {
  const store = await openStore(await directory())
  await store.createNamespace('tenants')
  const respond = createCloudflareApi({ store, accountId: 'acc', apiToken: 'right', now: () => NOW, ...options })
  const ask: ApiUnderTest['ask'] = async (method, path, body, headers = { authorization: 'Bearer right' }) => {
    const isForm = body instanceof FormData
    const type: Record<string, string> = body && !isForm ? { 'content-type': 'application/json' } : {}
    const init = { method, headers: { ...type, ...headers }, body: isForm ? body : body ? JSON.stringify(body) : null }
    return await answerOf(await respond(new Request(`http://localhost/client/v4/accounts/acc${path}`, init)))
  }
  return { store, ask, respond, upload: (name, form, query = '') => ask('PUT', `${TENANTS}/scripts/${name}${query}`, form) }
}

/** Opens an envelope. */
export async function answerOf(response: Response): Promise<Answer> {
  const { success, errors, result, result_info: resultInfo } = JSON.parse(await response.text())
  return { status: response.status, headers: response.headers, success, errors, result, resultInfo }
}

/** A module of a form: its name, its content, its type. */
export type Part = [name: string, content: string | Uint8Array<ArrayBuffer>, type?: string]

/** The smallest module there can be. */
export const MAIN: Part = ['index.js', 'export default { fetch() {} }']

/** An upload as wrangler sends it. */
export function form(metadata: unknown = {}, parts: Part[] = [MAIN]): FormData {
  const made = new FormData()
  const [main] = parts
  made.set('metadata', typeof metadata === 'string' ? metadata : JSON.stringify({ main_module: main?.[0], ...Object(metadata) }))
  for (const [name, content, type = 'application/javascript+module'] of parts) made.append(name, new File([content], name, { type }))
  return made
}

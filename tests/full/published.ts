import { request } from 'undici'

/** A platform that publishes. */
export interface Publishing {
  url: string
  adminKey: string
}

/** What came back from a published worker. */
export interface Visited {
  status: number
  text: string
  retryAfter: string | undefined
}

/** Posts to deploy as the administrator; the envelope's data, or its error's code and message. */
export async function post(
  { url, adminKey }: Publishing,
  path: string,
  body: object,
): Promise<{ status: number; data?: Record<string, unknown>; error?: { code: string; message: string } }> {
  const headers = { authorization: `Bearer ${adminKey}` }
  const answer = await request(url.replace('localhost', '127.0.0.1') + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.statusCode, ...((await answer.body.json()) as object) }
}

/** Publishes one module to production. */
export function publish(platform: Publishing, service: string, code: string, more: object = {}): ReturnType<typeof post> {
  return post(platform, '/deploy/deploy', { service, script: Buffer.from(code).toString('base64'), ...more })
}

let asked = 0

/** Strangers are counted by address. */
function nextAddress(): string {
  asked += 1
  return `198.18.${(asked >> 8) & 255}.${asked & 255}`
}

/** Asks a published host, `hello.do`. */
export async function visit(
  { url }: Pick<Publishing, 'url'>,
  host: string,
  { path = '/', method = 'GET' }: { path?: string; method?: 'GET' | 'POST' } = {},
): Promise<Visited> {
  const { port } = new URL(url)
  const answer = await request(`http://127.0.0.1:${port}${path}`, { method, headers: { host: `${host}.localhost:${port}`, 'cf-connecting-ip': nextAddress() } })
  const retryAfter = answer.headers['retry-after']
  return { status: answer.statusCode, text: await answer.body.text(), retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined }
}

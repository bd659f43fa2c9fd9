import { request as send } from 'undici'
import { inject } from 'vitest'

const platform = inject('platform')

/** What a request may say. The body is JSON unless it is text already. */
export interface Asked {
  method?: string
  key?: string | undefined
  host?: string
  headers?: Record<string, string>
  body?: unknown
}

/** A JSON object of unknown form: whatever member is asked for, the assertion says what it is. */
export interface Loose {
  [member: string]: Loose
}

/** What came back: the envelope's data or error, and all else there is to look at. */
export interface Answered {
  status: number
  headers: Record<string, string>
  data: Loose
  error: Loose
  text: string
}

/** Asks the gateway, as curl would; each time from another address, since strangers are counted by address. */
export async function ask(path: string, { method, key, host, headers, body }: Asked = {}): Promise<Answered> {
  const answer = await send(platform.url.replace('localhost', '127.0.0.1') + path, {
    method: (method ?? (body === undefined ? 'GET' : 'POST')) as 'GET',
    headers: {
      host: host ?? `localhost:${platform.port}`,
      'cf-connecting-ip': nextAddress(),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...headers,
    },
    body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await answer.body.text()
  const envelope = (text !== '' && /json/.test(String(answer.headers['content-type'])) ? JSON.parse(text) : {}) as { data: Loose; error: Loose }
  return { status: answer.statusCode, headers: answer.headers as Record<string, string>, data: envelope.data, error: envelope.error, text }
}

/** Asks with the admin's key. */
export function admin(path: string, asked: Asked = {}): Promise<Answered> {
  return ask(path, { key: platform.adminKey, ...asked })
}

/** Calls a method of a binding the probe holds. */
export async function rpc(binding: string, method: string, ...args: unknown[]): Promise<{ value: Loose; error: Loose }> {
  const answer = await send(platform.probeUrl, { method: 'POST', body: JSON.stringify({ binding, method, args }) })
  return (await answer.body.json()) as { value: Loose; error: Loose }
}

/** Calls a method that gives an object, then methods of that object, one after another; what each of them gave. */
export async function rpcSteps(
  binding: string,
  method: string,
  input: unknown,
  steps: [method: string, ...args: unknown[]][],
): Promise<{ value: Loose; error: Loose }[]> {
  const answer = await send(platform.probeUrl, { method: 'POST', body: JSON.stringify({ binding, method, args: [input], steps }) })
  const { value, error } = (await answer.body.json()) as { value?: { value: Loose; error: Loose }[]; error: Loose }
  return value ?? [{ value: {}, error }]
}

/** Calls a method that gives a stream of lines, each JSON. Whoever stops reading cancels it. */
export async function* rpcLines(binding: string, method: string, input: unknown): AsyncGenerator<Loose> {
  const { body } = await send(platform.probeUrl, { method: 'POST', body: JSON.stringify({ binding, method, args: [input] }) })
  let rest = ''
  for await (const chunk of body.setEncoding('utf8')) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as Loose
  }
}

/** Makes a key with these permissions, in a tenant of its own, so that what other tests do does not show. */
export async function makeKey(input: Record<string, unknown>): Promise<{ id: string; key: string; tenant: string }> {
  const { status, data, text } = await admin('/auth/apikeys', { body: { name: 'test', limitPerMinute: 100_000, ...input } })
  if (status !== 201) throw new Error(`No key: ${text}`)
  return data as unknown as { id: string; key: string; tenant: string }
}

let counter = 0

/** An address of the range that is set apart for measurements (RFC 2544). */
export function nextAddress(): string {
  counter += 1
  return `198.${18 + (process.pid % 2)}.${(counter >> 8) & 255}.${counter & 255}`
}

/** A name nobody else uses. */
export function unique(prefix: string): string {
  counter += 1
  return `${prefix}-${process.pid}-${Date.now().toString(36)}-${counter}`
}

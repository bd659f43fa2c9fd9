import { admin, ask, unique, type Answered } from './client.ts'
import { inject } from 'vitest'

const { port } = inject('platform')

/** A module as `POST /deploy` wants it. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** A Worker that answers with this text. */
export function says(text: string): string {
  return `export default { fetch: () => new Response(${JSON.stringify(text)}) }`
}

/** Publishes through the gateway; production and the admin's key unless told. */
export function publish(service: string, script: string, more: { key?: string } & Record<string, unknown> = {}): Promise<Answered> {
  const { key, ...body } = more
  return admin('/deploy/deploy', { ...(key === undefined ? {} : { key }), body: { service, environment: 'production', script: base64(script), ...body } })
}

/** Asks a published host, `hello.do`, as a visitor would. */
export function visit(host: string, path = '/', asked: Parameters<typeof ask>[1] = {}): Promise<Answered> {
  return ask(path, { host: `${host}.localhost:${port}`, ...asked })
}

/** A worker's name nobody else uses. */
export function workerName(prefix = 'w'): string {
  return unique(prefix).replaceAll(/[^a-z0-9-]/g, '')
}

import type { ModuleInput, moduleType } from '@dot-do/worker-contracts/deployment'
import type * as z from 'zod'
import { decodeBase64, decodedSize, decodeUtf8, gzippedSize, sha256 } from './bytes.ts'
import { refusal } from './refusal.ts'

/** What a module is to whoever imports it. */
export type ModuleType = z.output<typeof moduleType>

/** A module, decoded. `path` is the field of the input that it came in by. */
export interface Module {
  name: string
  type: ModuleType
  bytes: Uint8Array<ArrayBuffer>
  sha256: string
  path: string
}

/** What all modules may weigh together, unpacked. */
const LIMIT_BYTES = 16 * 1_048_576

/** What they may weigh gzipped: Cloudflare's limit for a Worker (developers.cloudflare.com/workers/platform/limits). */
const GZIP_LIMIT_BYTES = 10 * 1_048_576

const TYPES: Readonly<Record<string, ModuleType>> = {
  js: 'esm',
  mjs: 'esm',
  cjs: 'cjs',
  json: 'json',
  wasm: 'wasm',
  map: 'sourcemap',
  bin: 'data',
  txt: 'text',
  html: 'text',
  css: 'text',
  md: 'text',
  sql: 'text',
}

/** What the input says of modules: one script, or several modules. */
export interface SentModules {
  script?: string | undefined
  modules?: z.output<typeof ModuleInput>[] | undefined
}

/** Decodes what was sent, within limits; refuses names that lead elsewhere, names that come twice, and what is not base64. */
export async function decodeModules({ script, modules = [] }: SentModules): Promise<Module[]> {
  const sent =
    script === undefined
      ? modules.map(({ name, content, type }, index) => ({ name, content, type, path: `modules.${index}.content`, namePath: `modules.${index}.name` }))
      : [{ name: 'index.js', content: script, type: undefined, path: 'script', namePath: 'script' }]
  refuseLarge(sent)
  const seen = new Set<string>()
  const decoded: Module[] = []
  for (const { name, content, type, path, namePath } of sent) {
    refuseName(name, namePath, seen)
    const bytes = decodeBase64(content)
    if (!bytes) throw refusal(path, 'is not base64')
    decoded.push({ name, type: type ?? typeOf(name, namePath), bytes, sha256: await sha256(bytes), path })
  }
  const sizeBytes = await gzippedSize(decoded.map(({ bytes }) => bytes))
  if (sizeBytes > GZIP_LIMIT_BYTES)
    throw refusal(
      sent[0]?.path ?? 'script',
      `is ${megabytes(sizeBytes)} gzipped, all modules together; the limit is ${megabytes(GZIP_LIMIT_BYTES)}`,
      'TOO_LARGE',
    )
  return decoded
}

/** A module's text; INVALID unless it is UTF-8. */
export function textOf({ bytes, name, path }: Pick<Module, 'bytes' | 'name' | 'path'>): string {
  const text = decodeUtf8(bytes)
  if (text === undefined) throw refusal(path, `is not UTF-8 (${name})`)
  return text
}

/** A size for people. */
export function megabytes(sizeBytes: number): string {
  return `${(sizeBytes / 1_048_576).toFixed(1)} MiB`
}

function refuseLarge(sent: readonly { content: string; path: string }[]): void {
  const sizeBytes = sent.reduce((total, { content }) => total + decodedSize(content), 0)
  if (sizeBytes <= LIMIT_BYTES) return
  throw refusal(sent[0]?.path ?? 'script', `is ${megabytes(sizeBytes)}, all modules together; the limit is ${megabytes(LIMIT_BYTES)}`, 'TOO_LARGE')
}

function refuseName(name: string, path: string, seen: Set<string>): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\\\u0000-\u001f\u007f"]/.test(name)) throw refusal(path, 'must not contain backslashes, quotes or control characters')
  if (name.split('/').some((segment) => segment === '' || segment === '.' || segment === '..'))
    throw refusal(path, 'must be a relative path without empty segments, "." and ".."')
  if (/^[a-z][a-z0-9+.-]*:/i.test(name)) throw refusal(path, 'must be a path, not a URL')
  if (seen.has(name)) throw refusal(path, `is the name of another module too: ${name}`)
  seen.add(name)
}

function typeOf(name: string, path: string): ModuleType {
  const extension = /\.([a-z]+)$/.exec(name)?.[1] ?? ''
  const type = Object.hasOwn(TYPES, extension) ? TYPES[extension] : undefined
  if (!type) throw refusal(path, `does not tell what sort of module ${name} is; send its type`)
  return type
}

import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { CloudflareError, invalidUpload } from '../errors.ts'
import type { ModuleType } from '../store/script.ts'
import { parseJson, readForm } from './body.ts'

/** What a script may weigh compressed, source maps aside: https://developers.cloudflare.com/workers/platform/limits/#worker-size */
const GZIPPED_BYTES = 10 * 1_048_576

/** What a script may consist of. */
const MOST_MODULES = 2000

/** A module that has been uploaded and not been stored. */
export interface UploadedModule {
  name: string
  type: ModuleType
  bytes: Uint8Array
}

/** A multipart upload, taken apart. */
export interface Upload {
  /** The part `metadata`, or `settings`, as JSON. */
  metadata: unknown
  modules: UploadedModule[]
}

const TYPES: Record<string, ModuleType> = {
  'application/javascript+module': 'esm',
  'text/javascript+module': 'esm',
  'application/javascript': 'cjs',
  'text/javascript': 'cjs',
  'application/wasm': 'wasm',
  'text/plain': 'text',
  'text/html': 'text',
  'application/octet-stream': 'data',
  'application/json': 'json',
  'application/source-map': 'sourcemap',
}

/** Reads an upload: one part of JSON, by the name given, and a part per module. */
export async function readUpload(request: Request, jsonPart: 'metadata' | 'settings' = 'metadata'): Promise<Upload> {
  const form = await readForm(request)
  const json = form.get(jsonPart)
  if (json === null) throw invalidUpload(`The upload has no part named ${jsonPart}`)
  const metadata = parseJson(typeof json === 'string' ? json : await json.text(), jsonPart)
  const modules = await modulesIn(form, jsonPart)
  await refuseHeavy(modules)
  return { metadata, modules }
}

async function modulesIn(form: FormData, jsonPart: string): Promise<UploadedModule[]> {
  const modules = new Map<string, UploadedModule>()
  for (const [part, file] of form) {
    if (part === jsonPart) continue
    if (typeof file === 'string') throw invalidUpload(`${part}: a module is sent as a file, with a file name and a content type`)
    // Cloudflare's own SDKs call every part `files` and put the name in the file name.
    const name = /^files(\[\d*\])?$/.test(part) ? file.name : part
    checkName(name)
    if (modules.has(name)) throw invalidUpload(`${name}: two modules have this name`)
    if (modules.size >= MOST_MODULES) throw invalidUpload(`A script has at most ${MOST_MODULES} modules`)
    modules.set(name, { name, type: typeOf(name, file.type), bytes: await file.bytes() })
  }
  return [...modules.values()]
}

function checkName(name: string): void {
  const isPlain = name !== '' && name.length <= 1024 && !name.includes('\0') && !name.includes('\\')
  if (isPlain && !/^(\/|[A-Za-z]:)/.test(name) && !name.split('/').includes('..')) return
  throw invalidUpload(`${JSON.stringify(name.slice(0, 100))}: a module name is a relative path of at most 1024 characters, without "..", backslash and NUL`)
}

function typeOf(name: string, contentType: string): ModuleType {
  const essence = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  const type = TYPES[essence]
  if (type !== undefined) return type
  if (essence.startsWith('text/x-python')) throw invalidUpload(`${name}: Python modules cannot run here`)
  throw invalidUpload(`${name}: the content type "${essence}" is none that a module can have`)
}

async function refuseHeavy(modules: UploadedModule[]): Promise<void> {
  const counted = modules.filter(({ type }) => type !== 'sourcemap')
  // What is small as it is need not be compressed to know.
  if (sum(counted.map(({ bytes }) => bytes.byteLength)) <= GZIPPED_BYTES) return
  const sizes = []
  for (const { bytes } of counted) sizes.push((await promisify(gzip)(bytes)).byteLength)
  if (sum(sizes) > GZIPPED_BYTES) throw new CloudflareError(413, 10_027, 'Your Worker exceeded the size limit of 10 MiB, compressed')
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

import type { AssetInput } from '@dot-do/worker-contracts/deployment'
import type * as z from 'zod'
import { decodeBase64, decodedSize, sha256 } from './bytes.ts'
import { megabytes } from './modules.ts'
import { refusal } from './refusal.ts'

/** A static file. Its content stays in base64, in which it is stored and uploaded. */
export interface Asset {
  path: string
  content: string
  sizeBytes: number
  sha256: string
}

/** What all files may weigh together. */
const LIMIT_BYTES = 20 * 1_048_576

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  css: 'text/css',
  js: 'text/javascript',
  mjs: 'text/javascript',
  json: 'application/json',
  map: 'application/json',
  webmanifest: 'application/manifest+json',
  txt: 'text/plain',
  md: 'text/markdown',
  xml: 'application/xml',
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  ico: 'image/vnd.microsoft.icon',
  woff: 'font/woff',
  woff2: 'font/woff2',
  wasm: 'application/wasm',
  pdf: 'application/pdf',
  mp3: 'audio/mpeg',
  mp4: 'video/mp4',
}

/** Checks the static files that were sent, one decoded at a time; sorted by path. */
export async function readAssets(sent: readonly z.output<typeof AssetInput>[] = []): Promise<Asset[]> {
  const total = sent.reduce((sum, { content }) => sum + decodedSize(content), 0)
  if (total > LIMIT_BYTES) throw refusal('assets', `are ${megabytes(total)} together; the limit is ${megabytes(LIMIT_BYTES)}`, 'TOO_LARGE')
  const seen = new Set<string>()
  const assets: Asset[] = []
  for (const [index, { path, content }] of sent.entries()) {
    refusePath(path, `assets.${index}.path`, seen)
    const bytes = decodeBase64(content)
    if (!bytes) throw refusal(`assets.${index}.content`, 'is not base64')
    assets.push({ path, content: content.replaceAll(/[\r\n]/g, ''), sizeBytes: bytes.length, sha256: await sha256(bytes) })
  }
  return assets.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The content type a file is served with, by its extension. */
export function contentTypeOf(path: string): string {
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return (Object.hasOwn(TYPES, extension) ? TYPES[extension] : undefined) ?? 'application/octet-stream'
}

function refusePath(path: string, field: string, seen: Set<string>): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\\\u0000-\u001f\u007f?#]/.test(path)) throw refusal(field, 'must not contain backslashes, control characters, "?" or "#"')
  const [root, ...segments] = path.split('/')
  if (root !== '' || segments.some((segment) => segment === '' || segment === '.' || segment === '..'))
    throw refusal(field, 'must begin with "/" and have no empty segments, "." and ".."')
  if (seen.has(path)) throw refusal(field, `is the path of another file too: ${path}`)
  seen.add(path)
}

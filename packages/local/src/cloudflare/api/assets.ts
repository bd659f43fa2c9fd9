import * as z from 'zod'
import { invalidUpload } from '../errors.ts'
import type { Asset, Script } from '../store/script.ts'
import { absentIn, type AssetSession } from './asset-sessions.ts'
import { ASSET_BODY_BYTES, readForm, readJson } from './body.ts'
import { bearerOf } from './admission.ts'
import type { Call, Route } from './context.ts'
import { succeed } from './envelope.ts'
import { namespaceOf, scriptNameOf } from './targets.ts'

/** https://developers.cloudflare.com/workers/platform/limits/#static-assets */
const MOST_FILES = 20_000
const FILE_BYTES = 25 * 1_048_576

/** One request of an upload carries so much at most, before base64, unless a single file is larger. */
const BUCKET_BYTES = 16 * 1_048_576
const BUCKET_FILES = 500

const FileEntry = z.object({
  hash: z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits'),
  size: z.int().min(0).max(FILE_BYTES, 'a static file has at most 25 MiB'),
})

const Manifest = z.object({
  manifest: z
    .record(z.string(), FileEntry)
    .refine((files) => Object.keys(files).length <= MOST_FILES, `a script has at most ${MOST_FILES} static files`)
    .refine((files) => Object.keys(files).every(isUrlPath), 'an asset path begins with / and has no . or .. segment, backslash or control character'),
})

/** Starting an upload, below a script's path. */
export const assetSessionRoute = ['POST', 'assets-upload-session', startUpload] as const

/** The upload itself, which the session's own token opens. */
export const assetUploadRoute: Route = ['POST', '/accounts/:account/workers/assets/upload', takeUpload]

/** The static files that a deployment's token stands for. */
export function assetsOfToken(call: Call, token: string): Record<string, Asset> {
  const session = call.context.assetSessions.find(token, 'deploy')
  if (session.namespace !== namespaceOf(call) || session.script !== scriptNameOf(call)) throw invalidUpload('assets.jwt: is for another script')
  return Object.fromEntries(Object.entries(session.manifest).map(([path, { hash }]) => [path, presentIn(session, hash)]))
}

async function startUpload(call: Call): Promise<Response> {
  const { assetSessions, store } = call.context
  const { manifest } = await readJson(call.request, Manifest)
  const [namespace, script] = [namespaceOf(call), scriptNameOf(call)]
  const session = assetSessions.start({ namespace, script, manifest, present: keptOf(await store.getScript(namespace, script), manifest) })
  const buckets = bucketsOf(session)
  return succeed({ jwt: assetSessions.tokenFor(session, buckets.length === 0 ? 'deploy' : 'upload'), buckets })
}

/** Of the files to come, those the script has now. Other scripts' files are not looked at: a hash is only what its uploader says. */
function keptOf(script: Script | undefined, manifest: AssetSession['manifest']): Map<string, Asset> {
  const now = new Map(Object.values(script?.assets?.manifest ?? {}).map((asset) => [asset.hash, asset]))
  const kept = Object.values(manifest).flatMap(({ hash, size }) => {
    const asset = now.get(hash)
    return asset?.sizeBytes === size ? [asset] : []
  })
  return new Map(kept.map((asset) => [asset.hash, asset]))
}

function bucketsOf(session: AssetSession): string[][] {
  const sizes = sizesIn(session)
  const buckets: string[][] = []
  let roomBytes = 0
  for (const hash of absentIn(session)) {
    const size = sizes.get(hash) ?? 0
    const last = buckets.at(-1)
    if (last && size <= roomBytes && last.length < BUCKET_FILES) last.push(hash)
    else buckets.push([hash])
    roomBytes = (buckets.at(-1)?.length === 1 ? BUCKET_BYTES : roomBytes) - size
  }
  return buckets
}

function sizesIn({ manifest }: AssetSession): Map<string, number> {
  return new Map(Object.values(manifest).map(({ hash, size }) => [hash, size]))
}

async function takeUpload({ request, url, context }: Call): Promise<Response> {
  const session = context.assetSessions.find(bearerOf(request), 'upload')
  if (url.searchParams.get('base64') !== 'true') throw invalidUpload('base64: must be true')
  const form = await readForm(request, ASSET_BODY_BYTES)
  const sizes = sizesIn(session)
  for (const [hash, part] of form) {
    if (typeof part === 'string') throw invalidUpload(`${hash}: has to be sent as a file`)
    const asset = await decode(part, hash, sizes.get(hash))
    const kept = await context.store.writeBlob(asset.bytes)
    session.present.set(hash, { ...kept, hash, ...asset.type })
  }
  if (absentIn(session).length > 0) return succeed({}, { status: 202 })
  return succeed({ jwt: context.assetSessions.tokenFor(session, 'deploy') }, { status: 201 })
}

async function decode(part: File, hash: string, size: number | undefined): Promise<{ bytes: Buffer; type: { contentType?: string } }> {
  if (size === undefined) throw invalidUpload(`${hash}: is not in the manifest of this upload`)
  const bytes = Buffer.from(await part.text(), 'base64')
  if (bytes.byteLength !== size) throw invalidUpload(`${hash}: has ${bytes.byteLength} bytes, and ${size} in the manifest`)
  // How wrangler says that a file has no type.
  const isUntyped = part.type === '' || part.type.startsWith('application/null')
  return { bytes, type: isUntyped ? {} : { contentType: part.type } }
}

function presentIn(session: AssetSession, hash: string): Asset {
  const asset = session.present.get(hash)
  if (asset === undefined) throw invalidUpload(`assets.jwt: the bytes of ${hash} never came`)
  return asset
}

function isUrlPath(path: string): boolean {
  return /^\/[^\\\p{Cc}]{0,1023}$/u.test(path) && !path.split('/').some((segment) => segment === '.' || segment === '..')
}

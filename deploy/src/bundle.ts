import { ServiceError } from '@dot-do/worker-utils'
import { decodeBase64, encodeBase64, sha256 } from './bytes.ts'
import type { Content, StoredVersion } from './content.ts'
import type { Place } from './places.ts'

/** What lies in the bucket: the parts a row does not hold, in base64. */
interface StoredBundle {
  modules: Record<string, string>
  assets: Record<string, string>
}

/** Keeps a version's content under its hash. What is there already is the same, and stays. */
export async function storeBundle(bucket: R2Bucket, owner: Pick<Place, 'tenant' | 'service'>, content: Content): Promise<void> {
  const key = keyOf(owner, content.sha256)
  if (await bucket.head(key)) return
  const stored: StoredBundle = {
    modules: Object.fromEntries(content.modules.map(({ name, bytes }) => [name, encodeBase64(bytes)])),
    assets: Object.fromEntries(content.assets.map((asset) => [asset.path, asset.content])),
  }
  await bucket.put(key, JSON.stringify(stored), { httpMetadata: { contentType: 'application/json' } })
}

/** Reads a version's content back. NOT_FOUND if the bucket lost it; INTERNAL if it is not what was stored. */
export async function loadBundle(bucket: R2Bucket, owner: Pick<Place, 'tenant' | 'service'>, version: StoredVersion): Promise<Content> {
  const object = await bucket.get(keyOf(owner, version.sha256))
  if (!object) throw new ServiceError('NOT_FOUND', `What ${owner.service} was made of is no longer stored; deploy it again`)
  const stored = await object.json<StoredBundle>()
  const modules = await Promise.all(
    version.modules.map(async ({ name, type, ...known }) => ({ name, type, sha256: known.sha256, bytes: await intact(stored.modules[name], known.sha256) })),
  )
  const assets = await Promise.all(
    version.assets.map(async (asset) => {
      await intact(stored.assets[asset.path], asset.sha256)
      return { ...asset, content: stored.assets[asset.path] ?? '' }
    }),
  )
  return { ...version, bindings: version.bindings as Content['bindings'], vars: version.vars as Content['vars'], modules, assets } // both were checked when the version was made
}

async function intact(content: string | undefined, expected: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = decodeBase64(content ?? '')
  if (!bytes || (await sha256(bytes)) !== expected) throw new TypeError('A stored bundle is damaged')
  return bytes
}

function keyOf({ tenant, service }: Pick<Place, 'tenant' | 'service'>, hash: string): string {
  return `bundles/${tenant}/${service}/${hash}`
}

import type { Asset } from './assets.ts'
import { contentTypeOf } from './assets.ts'
import { json, type CloudflareApi } from './cloudflare.ts'
import type { Content } from './content.ts'
import type { ModuleType } from './modules.ts'
import { sha256Hex } from '@dot-do/worker-utils'

/** A script in a dispatch namespace. */
export interface ScriptPlace {
  namespace: string
  script: string
}

/** A binding as Cloudflare's API names it (developers.cloudflare.com/workers/configuration/multipart-upload-metadata). */
export type ApiBinding = { type: string; name: string } & Record<string, unknown>

/** What is uploaded as one script. */
export interface Upload {
  content: Pick<Content, 'mainModule' | 'modules' | 'assets' | 'compatibilityDate' | 'compatibilityFlags'>
  bindings: ApiBinding[]
  tags: string[]
}

const MODULE_TYPES: Readonly<Record<ModuleType, string>> = {
  esm: 'application/javascript+module',
  cjs: 'application/javascript',
  text: 'text/plain',
  data: 'application/octet-stream',
  json: 'application/json',
  wasm: 'application/wasm',
  sourcemap: 'application/source-map',
}

/** Puts a script into its namespace, static files first. The same again ends the same. */
export async function uploadScript(api: CloudflareApi, place: ScriptPlace, upload: Upload): Promise<void> {
  const { content, bindings, tags } = upload
  const jwt = content.assets.length > 0 ? await uploadAssets(api, place, content.assets) : undefined
  const metadata = {
    ...(content.mainModule !== null && { main_module: content.mainModule }),
    compatibility_date: content.compatibilityDate,
    compatibility_flags: content.compatibilityFlags,
    bindings: jwt === undefined ? bindings : [...bindings, { type: 'assets', name: 'ASSETS' }],
    tags,
    ...(jwt !== undefined && { assets: { jwt, config: {} } }),
  }
  await api({ method: 'PUT', path: pathOf(place), body: () => ({ content: formOf(metadata, content.modules) }), isUpload: true })
}

/** Deletes a script; one that is not there is deleted. */
export async function deleteScript(api: CloudflareApi, place: ScriptPlace): Promise<void> {
  await api({ method: 'DELETE', path: pathOf(place), query: '?force=true', absentIsFine: true })
}

/** Gives a script a secret, in the place of what it had under that name. */
export async function putSecret(api: CloudflareApi, place: ScriptPlace, secret: { name: string; text: string }): Promise<void> {
  await api({ method: 'PUT', path: [...pathOf(place), 'secrets'], body: () => json({ ...secret, type: 'secret_text' }) })
}

/** Takes a secret from a script, if it has it. */
export async function deleteSecret(api: CloudflareApi, place: ScriptPlace, name: string): Promise<void> {
  await api({ method: 'DELETE', path: [...pathOf(place), 'secrets', name], absentIsFine: true })
}

/** Below the account: where a script lies. */
export function pathOf({ namespace, script }: ScriptPlace): string[] {
  return ['workers', 'dispatch', 'namespaces', namespace, 'scripts', script]
}

function formOf(metadata: object, modules: Content['modules']): FormData {
  const form = new FormData()
  form.set('metadata', new Blob([JSON.stringify(metadata)], { type: 'application/json' }))
  for (const { name, type, bytes } of modules) form.set(name, new File([bytes], name, { type: MODULE_TYPES[type] }))
  return form
}

/** Tells Cloudflare which files there are, sends those it lacks, and gives the proof that all are there. */
async function uploadAssets(api: CloudflareApi, place: ScriptPlace, assets: readonly Asset[]): Promise<string> {
  const byHash = new Map(await Promise.all(assets.map(async (asset) => [await hashOf(asset), asset] as const)))
  const manifest = Object.fromEntries([...byHash].map(([hash, { path, sizeBytes }]) => [path, { hash, size: sizeBytes }]))
  const session = await api({ method: 'POST', path: [...pathOf(place), 'assets-upload-session'], body: () => json({ manifest }) })
  const { jwt, buckets = [] } = session as { jwt: string; buckets?: string[][] } // as documented: developers.cloudflare.com/workers/static-assets/direct-upload
  let proof = jwt
  for (const bucket of buckets) {
    const form = (): FormData => {
      const parts = new FormData()
      for (const hash of bucket) {
        const { content = '', path = '' } = byHash.get(hash) ?? {}
        parts.set(hash, new File([content], hash, { type: contentTypeOf(path) }))
      }
      return parts
    }
    const path = ['workers', 'assets', 'upload']
    const answer = await api({ method: 'POST', path, query: '?base64=true', token: jwt, body: () => ({ content: form() }), isUpload: true })
    proof = (answer as { jwt?: string } | undefined)?.jwt ?? proof // only the last file's answer has it
  }
  return proof
}

/** 32 hexadecimal digits over path and content: Cloudflare keeps the content type with the hash, so files of two names must not share one. */
async function hashOf({ path, sha256 }: Asset): Promise<string> {
  return (await sha256Hex(`${path}\n${sha256}`)).slice(0, 32)
}

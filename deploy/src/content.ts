import type { PublishedVersion } from '@dot-do/worker-contracts/deployment'
import { canonicalJson, sha256Hex } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { readAssets, type Asset } from './assets.ts'
import { decodeModules, type Module } from './modules.ts'
import type { Input } from './operations.ts'
import { refusal } from './refusal.ts'
import { readSettings, type Settings } from './settings.ts'
import { checkSources } from './source-check.ts'

/** What a version is made of, as its row and its answer tell it. */
export type StoredVersion = Pick<
  z.output<typeof PublishedVersion>,
  'sha256' | 'sizeBytes' | 'mainModule' | 'modules' | 'assets' | 'bindings' | 'vars' | 'compatibilityDate' | 'compatibilityFlags' | 'access'
>

/** Everything that makes a version, checked. */
export interface Content extends Settings {
  /** null: static files only. */
  mainModule: string | null
  modules: Omit<Module, 'path'>[]
  assets: Asset[]
  access: StoredVersion['access']
  /** Of all the rest, so that the same content is the same version. */
  sha256: string
}

/** Decodes and checks what is to be published; refuses it whole, with the field that is wrong, before anything is touched. */
export async function readContent(input: Input<'deploy'>, now: Date): Promise<Content> {
  const settings = readSettings(input, now)
  const access = input.access ?? null
  refuseAmbiguous(input)
  const modules = await decodeModules(input)
  const assets = await readAssets(input.assets)
  const mainModule = mainModuleOf(input.mainModule, modules)
  if (mainModule !== null) checkSources(modules, mainModule)
  const content = { ...settings, access, mainModule, modules, assets }
  return { ...content, sha256: await sha256Hex(canonicalJson(identityOf(content))) }
}

/** A content as it is told: sizes and hashes in the place of what it holds. */
export function described(content: Content): StoredVersion {
  const { sha256, mainModule, bindings, vars, compatibilityDate, compatibilityFlags, access } = content
  const modules = content.modules.map((module) => ({ name: module.name, type: module.type, sizeBytes: module.bytes.length, sha256: module.sha256 }))
  const assets = content.assets.map((asset) => ({ path: asset.path, sizeBytes: asset.sizeBytes, sha256: asset.sha256 }))
  const sizeBytes = [...modules, ...assets].reduce((total, part) => total + part.sizeBytes, 0)
  return { sha256, sizeBytes, mainModule, modules, assets, bindings, vars, compatibilityDate, compatibilityFlags, access }
}

function refuseAmbiguous({ script, modules, assets }: Input<'deploy'>): void {
  if (script !== undefined && modules !== undefined) throw refusal('modules', 'must be absent where there is a script')
  if (script === undefined && modules === undefined && (assets ?? []).length === 0) throw refusal('script', 'is missing, and so are modules and assets')
}

function mainModuleOf(asked: string | undefined, modules: readonly Module[]): string | null {
  const main = asked === undefined ? modules[0] : modules.find(({ name }) => name === asked)
  if (!main) {
    if (asked === undefined) return null
    throw refusal('mainModule', `is none of the modules: ${asked}`)
  }
  if (main.type !== 'esm') throw refusal(asked === undefined ? main.path : 'mainModule', `must be an ES module: ${main.name}`)
  return main.name
}

/** What two uploads must have in common to be one version; in the order of names, since they can be sent in any. */
function identityOf({ modules, assets, ...rest }: Omit<Content, 'sha256'>) {
  return {
    ...rest,
    modules: modules.map(({ name, type, sha256 }) => ({ name, type, sha256 })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    assets: assets.map(({ path, sha256 }) => ({ path, sha256 })),
  }
}

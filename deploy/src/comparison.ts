import { canonicalJson } from '@dot-do/worker-utils'
import { decodeUtf8 } from './bytes.ts'
import type { Content } from './content.ts'
import { unifiedDiff } from './unified-diff.ts'

/** One thing that differs between two versions. */
export interface Change {
  name: string
  change: 'added' | 'removed' | 'changed'
  patch?: string
}

/** Something of a version by its name: `same` is equal where it is the same, `text` what a person would compare. */
interface Part {
  same: string
  text: () => string | undefined
}

/** What differs between two contents; what is alike is left out. */
export function compare(from: Content, to: Content) {
  return {
    modules: changes(modulesOf(from), modulesOf(to)),
    assets: changes(assetsOf(from), assetsOf(to)),
    bindings: changes(valuesOf(from.bindings.map((binding) => [binding.name, binding])), valuesOf(to.bindings.map((binding) => [binding.name, binding]))),
    vars: changes(valuesOf(Object.entries(from.vars)), valuesOf(Object.entries(to.vars))),
    settings: changes(settingsOf(from), settingsOf(to)),
  }
}

function changes(from: Map<string, Part>, to: Map<string, Part>): Change[] {
  return [...new Set([...from.keys(), ...to.keys()])].sort().flatMap((name): Change[] => {
    const [before, after] = [from.get(name), to.get(name)]
    if (before?.same === after?.same) return []
    const patch = unifiedDiff(name, before ? before.text() : '', after ? after.text() : '')
    const change = before ? (after ? 'changed' : 'removed') : 'added'
    return [{ name, change, ...(patch !== undefined && { patch }) }]
  })
}

function modulesOf({ modules }: Content): Map<string, Part> {
  return new Map(
    modules.map(({ name, type, sha256, bytes }) => [name, { same: `${type} ${sha256}`, text: () => (isText(type) ? decodeUtf8(bytes) : undefined) }]),
  )
}

function isText(type: Content['modules'][number]['type']): boolean {
  return type !== 'wasm' && type !== 'data' && type !== 'sourcemap'
}

function assetsOf({ assets }: Content): Map<string, Part> {
  return new Map(assets.map(({ path, sha256 }) => [path, { same: sha256, text: () => undefined }]))
}

function settingsOf({ mainModule, compatibilityDate, compatibilityFlags, access }: Content): Map<string, Part> {
  return valuesOf(Object.entries({ mainModule, compatibilityDate, compatibilityFlags, access }))
}

function valuesOf(entries: readonly (readonly [string, unknown])[]): Map<string, Part> {
  return new Map(
    entries.map(([name, value]) => {
      const text = canonicalJson(value)
      return [name, { same: text, text: () => text }]
    }),
  )
}

import type { Options } from 'acorn'
import type { Module } from './modules.ts'
import { textOf } from './modules.ts'
import { refusal } from './refusal.ts'
import { hasHandler, type Program } from './handlers.ts'
import { ShallowParser } from './shallow-parser.ts'

/** Specifiers that the runtime itself answers. */
const BUILT_IN = /^(?:cloudflare|node|workerd):/

/** Node's modules that `nodejs_compat` also answers without their prefix. */
const BARE_NODE = new Set(
  'assert async_hooks buffer console constants crypto diagnostics_channel dns events fs http https module net os path perf_hooks process punycode querystring stream string_decoder sys timers tls tty url util util/types v8 vm zlib stream/promises stream/web timers/promises fs/promises path/posix path/win32 assert/strict dns/promises'.split(
    ' ',
  ),
)

/** Parses every module, so that nothing is uploaded that could not be loaded: syntax with its place, imports that lead nowhere, a main module that handles nothing. */
export function checkSources(modules: readonly Module[], mainModule: string): void {
  const names = new Set(modules.map(({ name }) => name))
  for (const module of modules) {
    if (module.type === 'esm') checkEsm(module, names, mainModule)
    else checkOther(module)
  }
}

function checkEsm(module: Module, names: ReadonlySet<string>, mainModule: string): void {
  const program = parse(module, { sourceType: 'module' })
  for (const { specifier, place } of importsOf(program)) {
    if (!leadsSomewhere(specifier, module.name, names))
      throw refusal(module.path, `imports "${specifier}" in ${module.name}, ${place}, which is none of the modules; bundle it, or send it too`)
  }
  if (module.name === mainModule && !hasHandler(program))
    throw refusal(module.path, `has no handler: ${module.name} needs a default export with fetch, or a class that extends WorkerEntrypoint`)
}

function checkOther(module: Module): void {
  const { type, name, path, bytes } = module
  if (type === 'cjs') parse(module, { sourceType: 'script', allowReturnOutsideFunction: true })
  if (type === 'json' || type === 'sourcemap') refuseBrokenJson(textOf(module), name, path)
  if (type === 'text') textOf(module)
  const magic = String.fromCharCode(...bytes.subarray(0, 4))
  if (type === 'wasm' && magic !== '\0asm') throw refusal(path, `is not WebAssembly (${name})`)
}

function refuseBrokenJson(text: string, name: string, path: string): void {
  try {
    JSON.parse(text)
  } catch {
    throw refusal(path, `is not JSON (${name})`)
  }
}

function parse(module: Module, options: Partial<Options>): Program {
  const text = textOf(module)
  try {
    return ShallowParser.parse(text, { ecmaVersion: 'latest', locations: true, allowHashBang: true, ...options }) as unknown as Program // acorn's tree is ESTree
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError) || !('loc' in thrown)) throw thrown
    const { line, column } = thrown.loc as Program['loc']['start'] // acorn's own errors carry their place
    const what = thrown.message.replace(/ \(\d+:\d+\)$/, '')
    throw refusal(module.path, `has a syntax error in ${module.name}, line ${line}, column ${column + 1}: ${what}`)
  }
}

function importsOf({ body }: Program): { specifier: string; place: string }[] {
  return body.flatMap(({ type, source }) => {
    if (!/^(ImportDeclaration|ExportNamedDeclaration|ExportAllDeclaration)$/.test(type) || !source) return []
    const { line, column } = source.loc.start
    return [{ specifier: String(source.value), place: `line ${line}, column ${column + 1}` }]
  })
}

function leadsSomewhere(specifier: string, from: string, names: ReadonlySet<string>): boolean {
  if (BUILT_IN.test(specifier) || names.has(specifier)) return true
  const isPath = /^\.{0,2}\//.test(specifier)
  if (!isPath && BARE_NODE.has(specifier)) return true
  const resolved = new URL(specifier, `file:///${from}`).pathname.slice(1)
  return names.has(decoded(resolved))
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

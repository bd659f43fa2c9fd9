import { parse, type ParseResult } from 'rolldown/utils'
import { CloudflareError, invalidUpload } from '../errors.ts'
import type { UploadedModule } from './upload-form.ts'

/** What a main module offers, as far as its text tells. */
export interface Offer {
  handlers: string[]
  namedExports: string[]
}

/** Code longer than this is checked but not looked into for its handlers: its tree would take too much memory. */
const LOOKED_INTO_CHARACTERS = 2_000_000

/** A part of a syntax tree, of which only some kinds are looked at. */
interface Node {
  type: string
  [key: string]: unknown
}

/** Refuses code that does not parse, and a main module that answers to nothing. */
export async function checkCode(modules: UploadedModule[], main: UploadedModule): Promise<Offer> {
  let offer: Offer = { handlers: [], namedExports: [] }
  for (const module of modules.filter(({ type }) => type === 'esm' || type === 'cjs')) {
    const text = textOf(module)
    const parsed = await parse(module.name, text, { lang: 'js', sourceType: module.type === 'esm' ? 'module' : 'commonjs' })
    refuseBroken(module.name, text, parsed)
    if (module === main) offer = offerOf(text, module.type === 'esm', parsed)
  }
  for (const module of modules.filter(({ type }) => type === 'json')) refuseBrokenJson(module)
  return offer
}

function textOf({ name, bytes }: UploadedModule): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalidUpload(`${name}: is not UTF-8`)
  }
}

function refuseBroken(name: string, text: string, { errors }: ParseResult): void {
  const error = errors.find(({ severity }) => severity === 'Error')
  if (error === undefined) return
  const before = text.slice(0, error.labels[0]?.start ?? 0).split('\n')
  throw invalidUpload(`Uncaught SyntaxError: ${error.message} at ${name}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`)
}

function refuseBrokenJson(module: UploadedModule): void {
  try {
    JSON.parse(textOf(module))
  } catch (cause) {
    if (cause instanceof CloudflareError) throw cause
    throw invalidUpload(`${module.name}: is not JSON`)
  }
}

function offerOf(text: string, isModule: boolean, parsed: ParseResult): Offer {
  if (!isModule) return serviceWorkerOffer(text)
  const exported = parsed.module.staticExports.flatMap(({ entries }) => entries)
  const namedExports = exported.flatMap(({ exportName: { kind, name } }) => (kind === 'Name' && name !== null && name !== 'default' ? [name] : []))
  const hasDefault = exported.some(({ exportName: { kind, name } }) => kind === 'Default' || name === 'default')
  const isReexporting = exported.some(({ moduleRequest }) => moduleRequest !== null)
  const body = text.length <= LOOKED_INTO_CHARACTERS ? nodesIn(parsed.program.body) : undefined
  const hasClass = body === undefined || namedExports.some((name) => valueNamed(body, localNameOf(exported, name))?.type.startsWith('Class'))
  if (!hasDefault && !isReexporting && !hasClass) throw nothingToRun()
  const local = exported.find(({ exportName: { name } }) => name === 'default')?.localName.name
  return { handlers: body && hasDefault ? handlersOf(body, local ?? undefined) : [], namedExports }
}

function serviceWorkerOffer(text: string): Offer {
  const handlers = [...text.matchAll(/\baddEventListener\s*\(\s*['"`](\w+)['"`]/g)].map(([, name]) => String(name))
  if (handlers.length === 0) throw nothingToRun()
  return { handlers: [...new Set(handlers)], namedExports: [] }
}

function nothingToRun(): CloudflareError {
  return new CloudflareError(400, 10_068, 'The uploaded script has no registered event handlers.')
}

function localNameOf(exported: ParseResult['module']['staticExports'][number]['entries'], name: string): string {
  return exported.find(({ exportName }) => exportName.name === name)?.localName.name ?? name
}

/** The methods of the object or class that is exported by default; empty where it is made by other means. */
function handlersOf(body: Node[], local: string | undefined): string[] {
  const direct = body.find(({ type }) => type === 'ExportDefaultDeclaration')?.['declaration']
  const value = isNode(direct) && direct.type !== 'Identifier' ? direct : valueNamed(body, local ?? nameOf(direct) ?? '')
  const classBody = value?.['body']
  const members = nodesIn(value?.['properties'] ?? (isNode(classBody) ? classBody['body'] : []))
  return members.flatMap((member) => nameOf(member['key']) ?? []).filter((name) => name !== 'constructor')
}

/** What a name of the top level stands for: a class, or the value a variable starts with. */
function valueNamed(body: Node[], name: string): Node | undefined {
  const declarations = body.map((node) => (isNode(node['declaration']) ? node['declaration'] : node))
  const variables = declarations.flatMap((node) => nodesIn(node['declarations']))
  const found = [...declarations, ...variables].find((node) => nameOf(node['id']) === name)
  return found && isNode(found['init']) ? found['init'] : found
}

function nameOf(node: unknown): string | undefined {
  return isNode(node) && typeof node['name'] === 'string' ? node['name'] : undefined
}

function nodesIn(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : []
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

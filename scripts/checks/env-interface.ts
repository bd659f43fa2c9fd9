import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { lineOf } from './files.ts'
import type { Problem } from './problem.ts'
import { isNode, readSource, visitNodes, type Source, type SyntaxNode } from './syntax.ts'
import { namesInEnv, type ReadConfig } from './worker-config.ts'

/** One property of `Env`. */
interface EnvProperty {
  name: string
  line: number
  optional: boolean
  documented: boolean
}

/** The table of what a machine of one's own adds to env; it is also where secrets are listed. */
const LOCAL_TABLE = 'packages/local/src/host/local-configuration.ts'

/** Every Worker has these, if configured: `BaseEnv`. */
const BASE = 'packages/types/src/env.ts'

/**
 * Each property of a service's `Env` says what it is for and is a binding, a var or a listed secret; each binding and var is a property.
 * An optional property may be unbound, since its type makes the code live without it.
 */
export async function undocumentedOrUnbound(root: string, service: string, { file, text, config }: ReadConfig): Promise<Problem[]> {
  const envFile = `${service}/src/env.ts`
  if (!existsSync(join(root, envFile))) return [{ file: envFile, message: 'is missing: it says what each binding is for' }]
  const own = propertiesOf(await readSource(root, envFile), 'Env')
  const base = existsSync(join(root, BASE)) ? propertiesOf(await readSource(root, BASE), 'BaseEnv') : []
  const bound = new Set(namesInEnv(config))
  const given = new Set([...bound, ...(await secretsOf(root, service))])
  const known = new Set([...own, ...base].map(({ name }) => name))
  return [
    ...own.filter(({ documented }) => !documented).map(({ name, line }) => ({ file: envFile, line, message: `${name}: no doc comment says what it is for` })),
    ...own
      .filter(({ name, optional }) => !optional && !given.has(name))
      .map(({ name, line }) => ({ file: envFile, line, message: `${name} is neither in ${file} nor a secret listed in ${LOCAL_TABLE}` })),
    ...[...bound]
      .filter((name) => !known.has(name))
      .map((name) => ({ file, line: lineOf(text, `"${name}"`), message: `${name} is not a property of Env in ${envFile}` })),
  ]
}

async function secretsOf(root: string, service: string): Promise<string[]> {
  const path = join(root, LOCAL_TABLE)
  if (!existsSync(path)) return []
  const { LOCAL_SECRETS, LOCAL_VARIABLES } = (await import(pathToFileURL(path).href)) as Record<string, { name: string; services?: string[] }[] | undefined> // tables of that file
  const entries = [...(LOCAL_SECRETS ?? []), ...(LOCAL_VARIABLES ?? [])]
  return entries.filter(({ services }) => services === undefined || services.includes(service)).map(({ name }) => name)
}

function propertiesOf(source: Source, wanted: string): EnvProperty[] {
  const properties: EnvProperty[] = []
  visitNodes(source.program, (node) => {
    if (node.type !== 'TSInterfaceDeclaration' || nameOf(node['id']) !== wanted || !isNode(node['body'])) return
    for (const member of [node['body']['body']].flat()) if (isNode(member) && member.type === 'TSPropertySignature') properties.push(property(source, member))
  })
  return properties
}

function property({ comments, text, lineAt }: Source, member: SyntaxNode): EnvProperty {
  const documented = comments.some(({ value, end }) => value.startsWith('*') && end <= member.start && text.slice(end, member.start).trim() === '')
  return { name: nameOf(member['key']), line: lineAt(member.start), optional: member['optional'] === true, documented }
}

function nameOf(node: unknown): string {
  return isNode(node) ? String(node['name'] ?? node['value']) : ''
}

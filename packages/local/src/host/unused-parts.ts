import { readFile } from 'node:fs/promises'
import type { Plugin, PluginContext } from 'rolldown'

type Program = ReturnType<PluginContext['parse']>
type NamedExport = Extract<Program['body'][number], { type: 'ExportNamedDeclaration' }>

/** A module of a library that a Worker bundles and never reaches. */
interface UnusedPart {
  /** As it is imported, its package's name first. */
  module: string
  /** Why nothing of ours gets there, and yet the library imports it. */
  why: string
  /** What whoever does get there is told. */
  refusal: string
  /** Functions that are called all the same, for the function they make; only that one refuses. */
  makers?: string[]
}

const NO_JSON_SCHEMAS = 'This Worker is bundled without JSON Schemas; they are generated at build time: see docs/openapi'
const NO_RELATIONS = 'This Worker is bundled without relations and relational queries of Drizzle: join tables with select()'

const UNUSED_PARTS: UnusedPart[] = [
  {
    module: 'zod/v4/core/to-json-schema.js',
    why: 'Every schema has a method that makes a JSON Schema; ours are made at build time.',
    refusal: NO_JSON_SCHEMAS,
    makers: ['createToJSONSchemaMethod', 'createStandardJSONSchemaMethod'],
  },
  {
    module: 'zod/v4/core/json-schema-processors.js',
    why: 'Only the generator of JSON Schemas calls what every schema hands it.',
    refusal: NO_JSON_SCHEMAS,
  },
  {
    module: 'drizzle-orm/pg-core/columns/all.js',
    why: 'Every kind of column, for tables whose columns are a function of them; our tables name the kinds they import.',
    refusal:
      'This Worker is bundled without column builders by name: write pgTable(name, { id: text() }) with imported builders, not (t) => ({ id: t.text() })',
  },
  {
    module: '@workos-inc/node/lib/webapi-C2FQ2NNL.mjs',
    why: 'A copy of jose, for sessions that WorkOS keeps; ours are our own.',
    refusal: 'This Worker is bundled without the sessions of WorkOS: its own are in auth/src/sessions',
  },
  {
    module: 'drizzle-orm/relations.js',
    why: 'Its dialect and driver know relations; ours is given no schema, so it never asks for any.',
    refusal: NO_RELATIONS,
  },
  {
    module: 'drizzle-orm/pg-core/query-builders/query.js',
    why: 'db.query is filled from a schema given to the driver, and ours is given none.',
    refusal: NO_RELATIONS,
  },
  {
    module: 'drizzle-orm/pg-core/view.js',
    why: 'A pgSchema can define views; migrations define ours, if any.',
    refusal: 'This Worker is bundled without views of Drizzle: define the view in a migration and read it as a table or by sql``',
  },
]

const patternOf = ({ module }: UnusedPart) => new RegExp(`[\\\\/]node_modules[\\\\/]${module.replaceAll('.', '\\.').replaceAll('/', '[\\\\/]')}$`)

/**
 * Leaves out of a bundle what its Worker never reaches, and puts in its place what says so when reached after all.
 * Saves a Worker about 6 KB, gzipped, and one with Drizzle 4 KB more. Bundles for development lack the same parts, so that a use shows at once.
 */
export const withoutUnusedParts: Plugin = {
  name: 'without-unused-parts',
  load: {
    filter: { id: UNUSED_PARTS.map(patternOf) },
    async handler(id) {
      const part = UNUSED_PARTS.find((candidate) => patternOf(candidate).test(id))
      return part && standIn(part, exportedNames(this.parse(await readFile(id, 'utf8'))))
    },
  },
}

/** A module with the same exports and nothing behind them. What refuses is a `function`, so that it can be a class too. */
function standIn({ refusal, makers = [] }: UnusedPart, names: string[]): string {
  const exported = names.map((name) => `${makers.includes(name) ? 'make' : 'refuse'} as ${name}`)
  return `
function refuse() { throw new Error(${JSON.stringify(refusal)}) }
function make() { return refuse }
export { ${exported.join(', ')} }
`
}

function exportedNames({ body }: Program): string[] {
  return body.flatMap((node) => {
    if (node.type !== 'ExportNamedDeclaration') return []
    return [...declaredNames(node.declaration), ...node.specifiers.flatMap(({ exported }) => ('name' in exported ? [exported.name] : []))]
  })
}

function declaredNames(declaration: NamedExport['declaration']): string[] {
  const parts = declaration?.type === 'VariableDeclaration' ? declaration.declarations : [declaration]
  return parts.flatMap((part) => (part && 'id' in part && part.id?.type === 'Identifier' ? [part.id.name] : []))
}

import { readFile } from 'node:fs/promises'
import type { Plugin } from 'esbuild'

/** The two files that make JSON Schemas of zod schemas; zod's classic API pulls in both, and every schema has a method that needs them. */
const JSON_SCHEMA_FILES = /[\\/]zod[\\/]v4[\\/]core[\\/](to-json-schema|json-schema-processors)\.js$/

const REFUSAL = 'This Worker is bundled without JSON Schemas; they are generated at build time: see docs/openapi'

/**
 * Leaves zod's JSON Schema generator out of a bundle: about 6 KB less per Worker, gzipped. Parsing is untouched.
 * What would make a JSON Schema throws instead: `z.toJSONSchema`, `schema.toJSONSchema()`, `schema['~standard'].jsonSchema`.
 */
export const withoutJsonSchemas: Plugin = {
  name: 'without-json-schemas',
  setup(build) {
    build.onLoad({ filter: JSON_SCHEMA_FILES }, async ({ path }) => ({ contents: stub(await readFile(path, 'utf8')), loader: 'js' }))
  },
}

/** The same exports, with nothing behind them. Makers return the function that throws, since zod calls them whenever a schema is made. */
function stub(source: string): string {
  const names = [...source.matchAll(/^export (?:function|const) (\w+)/gm)].map(([, name = '']) => name)
  const renamed = [...source.matchAll(/^export \{ \w+ as (\w+) \};/gm)].map(([, name = '']) => name)
  return [`const refuse = () => { throw new Error(${JSON.stringify(REFUSAL)}) }`, ...[...names, ...renamed].map(stubOf)].join('\n')
}

function stubOf(name: string): string {
  if (name.startsWith('create')) return `export const ${name} = () => refuse`
  return `export { refuse as ${name} }`
}

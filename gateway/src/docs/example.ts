import { bodyOf, referredName, type Described, type Schema } from './document.ts'

/** Values that fit where a pattern says what a text is, by the name of the field. */
const SAMPLES: Record<string, unknown> = {
  id: 'note/hello',
  $id: 'note/hello',
  $type: 'Note',
  type: 'Note',
  from: 'note/hello',
  to: 'note/world',
  predicate: 'about',
  ns: 'default',
  tenant: 'acme',
  service: 'hello',
  script: 'ZXhwb3J0IGRlZmF1bHQgeyBmZXRjaDogKCkgPT4gbmV3IFJlc3BvbnNlKCdoZWxsbycpIH0=',
  host: 'hello.example.com',
  email: 'ada@example.com',
  repository: 'acme/hello',
  permission: 'things:read',
  permissions: ['things:read'],
  name: 'hello',
  q: 'hello world',
  content: '# Hello',
  data: { title: 'Hello' },
}

/** What follows the prefix of an id. */
const SAMPLE_ID = '5m2pkr9t0vx4wz6y8a1c3e7g9j'

/** Where only what is deeper is left out of an example. */
const MAX_DEPTH = 8

/** Named schemas that an example may need. */
export type Schemas = Record<string, Schema>

/** A value of a schema, as short as it can be: of an object what is required, or, where nothing is, its first fields. */
export function exampleOf(schema: Schema, schemas: Schemas, { name = '', depth = 0, isWhole = false } = {}): unknown {
  const referred = referredName(schema)
  const inner = { depth: depth + 1, isWhole }
  if (depth > MAX_DEPTH) return {}
  if (referred !== undefined) return exampleOf(schemas[referred] ?? {}, schemas, { ...inner, name })
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.default !== undefined) return schema.default
  if (schema.examples) return schema.examples[0]
  if (schema.properties) return objectOf(schema, schemas, inner)
  const forms = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []
  const form = forms.find(({ type }) => type === 'null') ?? forms[0]
  const prefix = prefixOf(schema) ?? (form && prefixOf(form))
  if (prefix !== undefined) return prefix + SAMPLE_ID
  if (schema.format !== 'date-time' && Object.hasOwn(SAMPLES, name) && (schema.type ?? form?.type) === kindOf(SAMPLES[name])) return SAMPLES[name]
  if (form) return exampleOf(form, schemas, { ...inner, name })
  if (schema.items) return [exampleOf(schema.items, schemas, { ...inner, name: name.replace(/s$/, '') })]
  return scalarOf(schema, name)
}

function objectOf({ properties = {}, required = [] }: Schema, schemas: Schemas, { depth, isWhole }: { depth: number; isWhole: boolean }): unknown {
  const names = Object.keys(properties)
  const shown = isWhole ? names : required.length > 0 || depth > 1 ? required : names.filter((name) => Object.hasOwn(SAMPLES, name)).slice(0, 2)
  return Object.fromEntries(shown.map((name) => [name, exampleOf(properties[name] ?? {}, schemas, { name, depth, isWhole })]))
}

/** What ids of a schema begin with, `org_`; undefined for what is no id. */
function prefixOf({ pattern = '' }: Schema): string | undefined {
  return /^\^([a-z]+_)\[0-9a-h/.exec(pattern)?.[1]
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value
}

function scalarOf({ type, format, minimum }: Schema, name: string): unknown {
  const [kind] = [type ?? 'object'].flat()
  if (kind === 'integer' || kind === 'number') return Math.max(minimum ?? 1, 1)
  if (kind === 'boolean') return true
  if (kind === 'null') return null
  if (kind === 'array') return []
  if (kind !== 'string') return {}
  return format === 'date-time' ? '2026-11-01T12:00:00.000Z' : format === 'date' ? '2026-11-01' : name.toLowerCase() || 'text'
}

/** A request that a shell can send as it stands, once $KEY is a key. */
export function curlOf(operation: Described, { schemas, origin }: { schemas: Schemas; origin: string }): string {
  const { method, parameters = [] } = operation
  const body = bodyOf(operation)
  const sample = (name: string, schema: Schema) => String(exampleOf(schema, schemas, { name }))
  const path = parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce((text, { name, schema }) => text.replace(`{${name}}`, () => sample(name, schema)), operation.path)
  const query = parameters.filter((parameter) => parameter.in === 'query' && parameter.required).map(({ name, schema }) => [name, sample(name, schema)])
  const url = `${origin}${path}${query.length > 0 ? `?${new URLSearchParams(query)}` : ''}`
  return [
    `curl ${method === 'GET' ? '' : `-X ${method} `}${quoted(url)}`,
    ...(operation['x-permission'] === 'public' ? [] : ['-H "Authorization: Bearer $KEY"']),
    ...(body ? [`-H 'Content-Type: application/json'`, `-d ${quoted(jsonOf(exampleOf(body, schemas)))}`] : []),
  ].join(' \\\n  ')
}

/** On one line while that is short. */
function jsonOf(value: unknown): string {
  const short = JSON.stringify(value)
  return short.length <= 48 ? short : JSON.stringify(value, null, 2).replaceAll('\n', '\n  ')
}

/** As a POSIX shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w:/.~-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

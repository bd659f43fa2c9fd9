import type { AnyOperation, Contract } from '@dot-do/worker-contracts/contract'
import { parseRoute } from '@dot-do/worker-contracts/route'
import type { JsonSchema, McpTool } from '@dot-do/worker-types'
import { canonicalJson, ERROR_TABLE } from '@dot-do/worker-utils'
import * as z from 'zod'
import { toolName } from './mcp.ts'

/** A JSON object on its way into a document. */
type Json = Record<string, unknown>

/** The OpenAPI 3.1 document of a contract, with the tools it offers to agents under `x-tools`. Made at build time: see `pnpm generate`. */
export function openapi(contract: Contract): Json {
  const components = new Components()
  const paths: Record<string, Json> = {}
  for (const [name, operation] of Object.entries(contract.operations)) {
    if (!operation.http) continue
    const { method, path } = parseRoute(operation.http)
    const template = path.replaceAll(/:(\w+)\+?/g, '{$1}')
    paths[template] = { ...paths[template], [method.toLowerCase()]: describeOperation(contract, name, components) }
  }
  return {
    openapi: '3.1.1',
    info: { title: contract.name, summary: contract.summary, version: contract.version, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: `https://${contract.name}.do` }, { url: `https://gateway.do/${contract.name}` }],
    tags: [{ name: contract.name, description: contract.summary }],
    paths,
    components: { schemas: { ...components.schemas, Error: ERROR_SCHEMA }, ...usedOf(contract, paths) },
    'x-tools': toolsOf(contract),
  }
}

/** The shared responses that its paths point to, and the security schemes where any operation asks who is there. */
function usedOf({ operations }: Contract, paths: Json): Json {
  const text = JSON.stringify(paths)
  const isOpen = Object.values(operations).every(({ http, permission }) => !http || permission === 'public')
  return {
    responses: Object.fromEntries(Object.entries(ERROR_RESPONSES).filter(([code]) => text.includes(`"#/components/responses/${code}"`))),
    securitySchemes: isOpen ? {} : SECURITY_SCHEMES,
  }
}

/** The tools of a contract as `tools/list` shows them. Throws for one whose answer is not an object, since MCP has no other structured form. */
export function toolsOf(contract: Contract): McpTool[] {
  return Object.entries(contract.operations)
    .filter(([, operation]) => operation.tool)
    .map(([name, operation]) => ({
      name: toolName(contract.name, name),
      title: operation.summary,
      description: [operation.summary, operation.description].filter(Boolean).join('. '),
      inputSchema: objectSchema(operation.input, 'input'),
      outputSchema: objectSchema(operation.output, 'output'),
      annotations: {
        readOnlyHint: operation.kind === 'query',
        idempotentHint: operation.kind === 'query' || operation.repeat === 'natural',
        destructiveHint: /^(delete|remove|revoke|rotate)/.test(name),
        openWorldHint: false,
      },
    }))
}

function objectSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema & { type: 'object' } {
  const { type, ...rest } = inlineRoot(jsonSchema(schema, io))
  if (type !== 'object') throw new TypeError(`A tool's ${io} is an object, not ${String(type)}`)
  return { type: 'object', ...rest }
}

/** A named schema stands among its own definitions; a tool's schema must be an object at its root. */
function inlineRoot({ $ref, $defs, ...root }: Json & { $ref?: string; $defs?: Record<string, Json> }): Json {
  if ($ref === undefined) return { ...root, ...($defs && { $defs }) }
  const name = $ref.replace('#/$defs/', '')
  const { [name]: own, ...others } = $defs ?? {}
  return { ...own, ...(Object.keys(others).length > 0 && { $defs: others }) }
}

/** One schema by itself, in JSON Schema 2020-12. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'throw', reused: 'inline' }) as Json
  return rest
}

/** Gathers the named schemas of a document: those with an `id`, and the definitions a recursive one brings. */
class Components {
  readonly schemas: Record<string, Json> = {}

  /** The schema as it stands in a document: its definitions hoisted, its references pointing there. */
  embed(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $defs = {}, ...root } = jsonSchema(schema, io) as { $defs?: Record<string, Json> } & Json
    for (const [name, { id: _id, ...definition }] of Object.entries($defs)) this.#define(componentName(name), repoint(definition))
    return repoint(root)
  }

  #define(name: string, definition: Json): void {
    const known = this.schemas[name]
    if (known && canonicalJson(known) !== canonicalJson(definition)) throw new TypeError(`Two different schemas are called "${name}"`)
    this.schemas[name] = definition
  }
}

function componentName(name: string): string {
  return name.startsWith('__') ? 'Json' : name
}

function repoint(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' ? `#/components/schemas/${componentName(value.replace('#/$defs/', ''))}` : value,
  ) as Json
}

function describeOperation(contract: Contract, name: string, components: Components): Json {
  const operation = contract.operations[name] as AnyOperation // name comes from the contract's own keys
  const { method, parameters } = parseRoute(operation.http ?? 'GET /')
  const inBody = method !== 'GET' && method !== 'DELETE'
  const rest = Object.keys(operation.input.shape).filter((field) => !parameters.includes(field))
  return {
    operationId: name,
    tags: [contract.name],
    summary: operation.summary,
    ...(operation.description && { description: operation.description }),
    security: operation.permission === 'public' ? [] : [{ bearer: [] }, { apiKey: [] }],
    'x-permission': operation.permission,
    parameters: [
      ...parameters.map((field) => ({ name: field, in: 'path', required: true, schema: fieldSchema(operation, field, components) })),
      ...(inBody
        ? []
        : rest.map((field) => ({ name: field, in: 'query', required: isRequired(operation, field), schema: fieldSchema(operation, field, components) }))),
      ...(operation.repeat === 'keyed' ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(inBody &&
      rest.length > 0 && {
        requestBody: {
          required: rest.some((field) => isRequired(operation, field)),
          content: { 'application/json': { schema: bodySchema(operation, parameters, components) } },
        },
      }),
    responses: responsesOf(operation, components),
  }
}

function fieldSchema({ input }: AnyOperation, field: string, components: Components): Json {
  return components.embed(input.shape[field] as z.ZodType, 'input') // field comes from the shape's own keys
}

function isRequired({ input }: AnyOperation, field: string): boolean {
  return (input.shape[field] as z.ZodType)._zod.optin === undefined // else it is 'optional' or 'defaulted'
}

function bodySchema({ input }: AnyOperation, parameters: string[], components: Components): Json {
  const body = Object.fromEntries(Object.entries(input.shape).filter(([field]) => !parameters.includes(field)))
  return components.embed(parameters.length > 0 ? z.strictObject(body) : input, 'input')
}

function responsesOf(operation: AnyOperation, components: Components): Json {
  const envelope = {
    type: 'object',
    required: ['success', 'data'],
    properties: { success: { const: true }, data: components.embed(operation.output as z.ZodType, 'output') },
  }
  const answers = (operation.statuses ?? [200]).map((status) => [
    status,
    { description: operation.summary, content: { 'application/json': { schema: envelope } } },
  ])
  return {
    ...Object.fromEntries(refusals(operation).map((code) => [ERROR_TABLE[code].status, { $ref: `#/components/responses/${code}` }])),
    ...Object.fromEntries(answers),
  }
}

/** Which refusals a reader of the document should be ready for; any answer may be INTERNAL. */
function refusals(operation: AnyOperation): (keyof typeof ERROR_TABLE)[] {
  const isOpen = operation.permission === 'public' && operation.kind === 'query'
  const changing = operation.kind === 'command' ? (['CONFLICT', 'TOO_LARGE'] as const) : []
  // A credential that does not hold is refused everywhere; and what anybody may send, such as a code to sign in with, may be refused by itself.
  return ['INVALID', 'UNAUTHENTICATED', ...(isOpen ? [] : (['FORBIDDEN'] as const)), 'NOT_FOUND', ...changing, 'RATE_LIMITED', 'INTERNAL', 'UNAVAILABLE']
}

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'The same key and input again, within 24 hours, get the first answer',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key or an access token' },
  apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
}

const ERROR_SCHEMA = {
  type: 'object',
  required: ['success', 'error'],
  properties: {
    success: { const: false },
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { enum: Object.keys(ERROR_TABLE) },
        message: { type: 'string' },
        details: {
          type: 'array',
          items: { type: 'object', required: ['path', 'message'], properties: { path: { type: 'string' }, message: { type: 'string' } } },
        },
        requestId: { type: 'string' },
      },
    },
  },
}

const ERROR_RESPONSES = Object.fromEntries(
  Object.keys(ERROR_TABLE).map((code) => [code, { description: code, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } }]),
)

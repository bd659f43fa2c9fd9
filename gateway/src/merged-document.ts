import { BoundedCache, toPascalCase } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import { service as gateway } from './service.ts'
import { SERVICES } from './services.ts'

type Json = Record<string, unknown>

interface ServiceDocument {
  info: { title: string; version: string; summary: string }
  paths: Record<string, Record<string, Json>>
  components: { schemas: Json; responses: Json; securitySchemes: Json }
  tags: Json[]
  'x-tools': Json[]
}

const merged = new BoundedCache<'document', Json>({ maxEntries: 1, ttlMs: 60_000 })

/** The OpenAPI documents of all services as one: paths as the gateway serves them, schemas and operations under their service's name. */
export async function mergedDocument(env: Env): Promise<Json> {
  const known = merged.get('document')
  if (known) return known
  const documents = await Promise.all(
    Object.entries(SERVICES).map(async ([name, { binding }]) =>
      prefixed(name, binding ? await documentOf(name, binding(env)) : (gateway.document as unknown as ServiceDocument)),
    ),
  )
  const document = merge(documents)
  merged.set('document', document)
  return document
}

async function documentOf(name: string, service: { fetch: typeof fetch }): Promise<ServiceDocument> {
  const answer = await service.fetch(`https://${name}.do/openapi.json`)
  return answer.json()
}

/** One service's document, its names made its own. */
function prefixed(name: string, document: ServiceDocument): ServiceDocument {
  const own = new Set(Object.keys(document.components.schemas))
  const renamed = JSON.parse(JSON.stringify(document), (key, value: unknown) => {
    if (key === 'operationId') return `${name}_${String(value)}`
    const schema = key === '$ref' ? /^#\/components\/schemas\/(.+)$/.exec(String(value))?.[1] : undefined
    return schema !== undefined && own.has(schema) ? `#/components/schemas/${schemaName(name, schema)}` : value
  }) as ServiceDocument // the same document with two kinds of text replaced
  const prefix = name === 'gateway' ? '' : `/${name}`
  renamed.paths = Object.fromEntries(Object.entries(renamed.paths).map(([path, item]) => [`${prefix}${path}`, item]))
  renamed.components.schemas = Object.fromEntries(Object.entries(renamed.components.schemas).map(([schema, value]) => [schemaName(name, schema), value]))
  return renamed
}

/** Errors look the same everywhere, and the shared responses point to them. */
function schemaName(service: string, schema: string): string {
  return schema === 'Error' ? schema : toPascalCase(service) + schema
}

function merge(documents: ServiceDocument[]): Json {
  return {
    openapi: gateway.document.openapi,
    info: { ...(gateway.document as unknown as ServiceDocument).info, title: 'The platform' },
    servers: [{ url: 'https://gateway.do' }],
    tags: documents.flatMap(({ tags }) => tags),
    paths: Object.assign({}, ...documents.map(({ paths }) => paths)) as Json,
    components: {
      schemas: Object.assign({}, ...documents.map(({ components }) => components.schemas)) as Json,
      responses: Object.assign({}, ...documents.map(({ components }) => components.responses)) as Json,
      securitySchemes: Object.assign({}, ...documents.map(({ components }) => components.securitySchemes)) as Json,
    },
    'x-tools': documents.flatMap((document) => document['x-tools']),
  }
}

import { auth } from '@dot-do/worker-contracts/auth'
import { command, contract, query, type Contract } from '@dot-do/worker-contracts/contract'
import { db } from '@dot-do/worker-contracts/db'
import { gateway } from '@dot-do/worker-contracts/gateway'
import { mcp } from '@dot-do/worker-contracts/mcp'
import { openapi, toolsOf } from '@dot-do/worker-kernel/openapi'
import { ERROR_TABLE } from '@dot-do/worker-utils'
import { Ajv } from '@modelcontextprotocol/client/validators/ajv'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { notes } from './notes.ts'

interface Document {
  paths: Record<string, Record<string, Described>>
  components: { schemas: Record<string, object>; responses: Record<string, object>; securitySchemes: Record<string, object> }
}

interface Described {
  operationId: string
  parameters: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { required: boolean; content: Record<string, { schema: object }> }
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: object }> }>
  security: object[]
  'x-permission': string
}

const contracts: [string, Contract][] = [
  ['notes', notes],
  ['db', db],
  ['auth', auth],
  ['gateway', gateway],
  ['mcp', mcp],
]

function documentOf(of: Contract): Document {
  return JSON.parse(JSON.stringify(openapi(of))) as Document
}

function operationsOf({ paths }: Document): Described[] {
  return Object.values(paths).flatMap((methods) => Object.values(methods))
}

/** The schema at a place of the document, compiled with all that the document defines. */
function validatorOf(document: Document, schema: object) {
  const definitions = JSON.parse(JSON.stringify({ ...schema, $defs: document.components.schemas }).replaceAll('#/components/schemas/', '#/$defs/')) as object
  return new Ajv({ strict: true, validateFormats: false }).compile(definitions)
}

function refsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === '$ref' ? [String(inner)] : refsIn(inner)))
}

function resolve(root: unknown, pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .reduce<unknown>((at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined), root)
}

describe.each(contracts)('the document of %s', (_, of) => {
  const document = documentOf(of)

  it('describes each operation that has a route, once', () => {
    const routed = Object.entries(of.operations).filter(([, { http }]) => http)

    expect(
      operationsOf(document)
        .map(({ operationId }) => operationId)
        .sort(),
    ).toEqual(routed.map(([name]) => name).sort())
  })

  it('points nowhere but to what it has', () => {
    const { 'x-tools': tools, ...rest } = openapi(of)
    const dangling = refsIn(rest).filter((pointer) => resolve(rest, pointer) === undefined)
    const danglingInTools = (tools as { inputSchema: object; outputSchema: object }[]).flatMap(({ inputSchema, outputSchema }) =>
      [inputSchema, outputSchema].flatMap((schema) => refsIn(schema).filter((pointer) => resolve(schema, pointer) === undefined)),
    )

    expect([dangling, danglingInTools]).toEqual([[], []])
  })

  it('has schemas only that a validator takes in strict mode', () => {
    const schemas = operationsOf(document).flatMap(({ parameters, requestBody, responses }) => [
      ...parameters.map(({ schema }) => schema),
      ...Object.values(requestBody?.content ?? {}).map(({ schema }) => schema),
      ...Object.values(responses).flatMap(({ content }) => Object.values(content ?? {}).map(({ schema }) => schema)),
    ])

    expect(schemas.length).toBeGreaterThan(0)
    for (const schema of schemas) expect(() => validatorOf(document, schema)).not.toThrow()
  })

  it('has tools whose schemas stand by themselves', () => {
    for (const { name, inputSchema, outputSchema } of toolsOf(of)) {
      expect(name).toMatch(/^[a-z0-9_]{1,64}$/)
      for (const schema of [inputSchema, outputSchema]) expect(() => new Ajv({ strict: false, validateFormats: false }).compile(schema ?? {})).not.toThrow()
    }
  })

  it('requires a credential for all that is not public, and says which permission', () => {
    for (const described of operationsOf(document)) {
      const permission = of.operations[described.operationId]?.permission

      expect(described['x-permission']).toBe(permission)
      expect(described.security).toEqual(permission === 'public' ? [] : [{ bearer: [] }, { apiKey: [] }])
    }
  })
})

describe('openapi', () => {
  const document = documentOf(notes)
  const get = document.paths['/notes/{id}']?.['get']
  const list = document.paths['/notes']?.['get']
  const create = document.paths['/notes']?.['post']

  it('is an OpenAPI 3.1 document with the name, words and version of the contract', () => {
    expect(openapi(notes)).toMatchObject({ openapi: '3.1.1', info: { title: 'notes', summary: 'Notes', version: '1.2.3' }, tags: [{ name: 'notes' }] })
  })

  it('puts greedy parameters into the path like others', () => {
    expect(get?.parameters).toMatchObject([
      { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
      { name: 'revision', in: 'query', required: false, schema: { type: 'integer' } },
    ])
  })

  it('asks for nothing that has a default', () => {
    expect(list?.parameters.filter(({ required }) => required)).toEqual([])
    expect(list?.parameters.find(({ name }) => name === 'limit')?.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 100, default: 20 })
  })

  it('offers an Idempotency-Key to keyed operations only', () => {
    const keyed = operationsOf(document).filter(({ parameters }) => parameters.some(({ name }) => name === 'Idempotency-Key'))

    expect(keyed.map(({ operationId }) => operationId)).toEqual(['create', 'seal'])
  })

  it('describes a body without what the path says already', () => {
    const rename = command({
      summary: 'Rename',
      input: z.object({ id: z.string(), text: z.string() }),
      output: z.object({}),
      permission: 'a:b',
      repeat: 'natural',
      http: 'PATCH /a/:id',
    })

    const body = documentOf(contract('a', { summary: 'A', version: '1' }, { rename })).paths['/a/{id}']?.['patch']?.requestBody

    expect(body).toMatchObject({
      required: true,
      content: { 'application/json': { schema: { properties: { text: {} }, required: ['text'], additionalProperties: false } } },
    })
    expect(body?.content['application/json']?.schema).not.toHaveProperty('properties.id')
  })

  it.each([
    ['{"text":"Hi"}', true],
    ['{"text":"Hi","tags":["a"]}', true],
    ['{}', false],
    ['{"text":""}', false],
    ['{"text":"Hi","txet":1}', false],
    ['{"text":"Hi","tags":[1]}', false],
  ])('judges the body %s as the operation itself does', (body, fits) => {
    const validate = validatorOf(document, create?.requestBody?.content['application/json']?.schema ?? {})

    expect([validate(JSON.parse(body)), notes.operations.create.input.safeParse(JSON.parse(body)).success]).toEqual([fits, fits])
  })

  it('describes answers in their envelope', () => {
    const validate = validatorOf(document, create?.responses['201']?.content?.['application/json']?.schema ?? {})

    expect(validate({ success: true, data: { id: 'a', text: 'Hi' } })).toBe(true)
    expect(validate({ id: 'a', text: 'Hi' })).toBe(false)
    expect(validate({ success: true, data: { id: 'a' } })).toBe(false)
  })

  it('describes refusals by the one error that all share', () => {
    const refusals = Object.entries(create?.responses ?? {}).flatMap(([status, { $ref }]) => ($ref ? [[status, $ref.split('/').at(-1)]] : []))

    expect(refusals).toEqual(
      ['INVALID', 'UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT', 'TOO_LARGE', 'RATE_LIMITED', 'INTERNAL', 'UNAVAILABLE'].map((code) => [
        String(ERROR_TABLE[code as 'INVALID'].status),
        code,
      ]),
    )
    expect(validatorOf(document, document.components.schemas['Error'] ?? {})({ success: false, error: { code: 'INVALID', message: 'No' } })).toBe(true)
  })

  it('describes a status that the operation gives itself by its answer, not by a refusal', () => {
    const health = document.paths['/health']?.['get']?.responses

    expect(health?.['503']?.content).toEqual(health?.['200']?.content)
  })

  it('shares what has a name', () => {
    expect(get?.responses['200']?.content?.['application/json']?.schema).toMatchObject({ properties: { data: { $ref: '#/components/schemas/Note' } } })
    expect(document.components.schemas['Note']).toMatchObject({ type: 'object', required: ['id', 'text'] })
  })

  it('refuses two different schemas under one name', () => {
    const named = (schema: z.ZodObject) => schema.meta({ id: 'Same' })
    const first = query({ summary: 'A', input: z.object({}), output: named(z.object({ a: z.string() })), permission: 'public', http: 'GET /a' })
    const second = query({ ...first, output: named(z.object({ b: z.string() })), http: 'GET /b' })

    expect(() => openapi(contract('a', { summary: 'A', version: '1' }, { first, second }))).toThrow('Two different schemas are called "Same"')
  })
})

describe('toolsOf', () => {
  it('names, describes and hints at each operation that is offered', () => {
    const tools = toolsOf(notes)

    expect(tools.map(({ name }) => name)).toEqual(['notes_create', 'notes_get', 'notes_list', 'notes_remove', 'notes_who_am_i', 'notes_breaks'])
    expect(tools[0]).toMatchObject({
      title: 'Write a note',
      description: 'Write a note. Kept until the test ends.',
      inputSchema: { type: 'object', required: ['text'], properties: { text: { type: 'string' }, tags: { default: [] } } },
      outputSchema: { type: 'object', properties: { id: { type: 'string' } } },
      annotations: { readOnlyHint: false, idempotentHint: false, destructiveHint: false, openWorldHint: false },
    })
    expect(tools[1]?.annotations).toMatchObject({ readOnlyHint: true, idempotentHint: true, destructiveHint: false })
    expect(tools[3]?.annotations).toMatchObject({ readOnlyHint: false, idempotentHint: true, destructiveHint: true })
  })

  it('refuses to offer what does not answer with an object', () => {
    const list = query({ summary: 'List', input: z.object({}), output: z.array(z.string()), permission: 'public', tool: true })

    expect(() => toolsOf(contract('a', { summary: 'A', version: '1' }, { list }))).toThrow("A tool's output is an object, not array")
  })
})

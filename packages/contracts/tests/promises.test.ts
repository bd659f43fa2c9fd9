import { command, contract, query, type Operations } from '@dot-do/worker-contracts/contract'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'

const about = { summary: 'Notes', version: '1.0.0' }
const terms = { summary: 'Read', input: z.object({ id: z.string() }), output: z.object({ id: z.string() }), permission: 'notes:read' }

function load(operations: Operations) {
  return () => contract('notes', about, operations)
}

describe('contract', () => {
  it('keeps name, words and operations as they were given', () => {
    const get = query({ ...terms, http: 'GET /notes/:id' })

    const notes = contract('notes', about, { get })

    expect(notes).toEqual({ name: 'notes', ...about, operations: { get } })
  })

  it.each(['Notes', 'my_notes', '1notes', '', 'notes/do'])('refuses the service name %j', (name) => {
    expect(() => contract(name, about, {})).toThrow(`Contract "${name}": a service's name is kebab-case`)
  })

  it.each([
    'fetch',
    'queue',
    'scheduled',
    'email',
    'alarm',
    'tail',
    'tailStream',
    'trace',
    'test',
    'connect',
    'webSocketMessage',
    'then',
    'catch',
    'finally',
    'dup',
    'constructor',
    'toString',
    'valueOf',
    'hasOwnProperty',
    'isPrototypeOf',
    'toJSON',
    'env',
    'ctx',
    'tools',
    'callTool',
  ])('refuses the operation name %s, which the runtime or the kernel means something by', (name) => {
    expect(load({ [name]: query(terms) })).toThrow(`Contract notes.${name}: the name is reserved`)
  })

  it.each(['Get', 'get_note', 'get-note', '1st', 'get.note', ''])('refuses the operation name %j, which is not camelCase', (name) => {
    expect(load({ [name]: query(terms) })).toThrow('an operation is named in camelCase')
  })

  it.each(['notes', 'notes:read:all', 'Notes:read', '*', 'notes:*', 'notes:read@db', '-:-', 'anonymous', ''])('refuses the permission %j', (permission) => {
    expect(load({ get: query({ ...terms, permission }) })).toThrow(`Contract notes.get: "${permission}" is not a permission`)
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses the cost %d, which no counter can count', (cost) => {
    expect(load({ get: query({ ...terms, cost }) })).toThrow(/Contract notes\.get: a cost of .* cannot be counted/)
  })

  it.each(['public', 'authenticated', 'notes:read', 'feature-flags:write-all'])('takes the permission %s', (permission) => {
    expect(load({ get: query({ ...terms, permission }) })).not.toThrow()
  })

  it('refuses to offer a queue what must not happen twice', () => {
    expect(load({ pay: command({ ...terms, repeat: 'unsafe', queue: true }) })).toThrow('Contract notes.pay: a queue delivers at least once')
  })

  it.each(['natural', 'keyed'] as const)('offers a queue what is %s', (repeat) => {
    expect(load({ pay: command({ ...terms, repeat, queue: true }) })).not.toThrow()
  })

  it.each([
    ['GET /notes/:name', 'name'],
    ['GET /notes/:name+', 'name'],
    ['GET /:id/:constructor', 'constructor'],
  ] as const)('refuses the route %s, whose parameter is not in the input', (route, parameter) => {
    expect(load({ get: query({ ...terms, http: route }) })).toThrow(`Contract notes.get: the path parameter ":${parameter}" is not in the input`)
  })

  it('refuses a greedy parameter that is not last', () => {
    expect(load({ get: query({ ...terms, http: 'GET /notes/:id+/history' }) })).toThrow('":id+" takes the rest of the path, so it comes last')
  })

  it.each(['GET /notes/:id', 'GET /notes/:name'] as const)('refuses a second operation at the route of another (%s)', (route) => {
    const input = z.object({ id: z.string(), name: z.string() })
    const get = query({ ...terms, http: 'GET /notes/:id' })

    expect(load({ get, read: query({ ...terms, input, http: route }) })).toThrow('Contract notes.read: its route is that of get')
  })
})

describe('a schema without a JSON form', () => {
  const noJson: [string, () => z.ZodType][] = [
    ['bigint', () => z.bigint()],
    ['symbol', () => z.symbol()],
    ['undefined', () => z.undefined()],
    ['void', () => z.void()],
    ['date', () => z.date()],
    ['date', () => z.coerce.date()],
    ['map', () => z.map(z.string(), z.string())],
    ['set', () => z.set(z.string())],
    ['nan', () => z.nan()],
    ['file', () => z.file()],
    ['custom', () => z.instanceof(URL)],
    ['transform', () => z.string().transform((text) => text.length)],
    ['date', () => z.codec(z.iso.datetime(), z.date(), { decode: (text) => new Date(text), encode: (date) => date.toISOString() })],
  ]

  it.each(noJson)('is refused in an input (%s)', (type, schema) => {
    const input = z.object({ id: schema() })

    expect(load({ get: query({ ...terms, input }) })).toThrow(`a schema of type "${type}" has no JSON form`)
  })

  it.each(noJson)('is refused in an output (%s)', (type, schema) => {
    expect(load({ get: query({ ...terms, output: schema() }) })).toThrow(`a schema of type "${type}" has no JSON form`)
  })

  it.each<[string, (inner: z.ZodType) => z.ZodType]>([
    ['an optional field', (inner) => z.object({ at: inner.optional() })],
    ['a nullable with default', (inner) => z.object({ at: inner.nullable().default(null) })],
    ['an array', (inner) => z.object({ list: z.array(z.object({ at: inner })) })],
    ['a tuple', (inner) => z.tuple([z.string(), inner])],
    ["a tuple's rest", (inner) => z.tuple([z.string()], inner)],
    ['a record', (inner) => z.record(z.string(), inner)],
    ['a union', (inner) => z.union([z.string(), z.object({ at: inner })])],
    ['a branch told by its type', (inner) => z.discriminatedUnion('type', [z.object({ type: z.literal('a'), at: inner })])],
    ['an intersection', (inner) => z.intersection(z.object({}), z.object({ at: inner }))],
    ['a pipe', (inner) => z.string().pipe(inner as z.ZodType<unknown, string>)],
    ['a lazy schema', (inner) => z.lazy(() => z.object({ at: inner }))],
    ['a catchall', (inner) => z.object({}).catchall(inner)],
    ['a readonly', (inner) => z.object({ at: inner }).readonly()],
  ])('is found in %s', (_, wrap) => {
    expect(load({ get: query({ ...terms, output: wrap(z.date()) }) })).toThrow('a schema of type "date" has no JSON form')
    expect(load({ get: query({ ...terms, output: wrap(z.string()) }) })).not.toThrow()
  })

  it('does not stand in the way of schemas that contain themselves', () => {
    const Tree = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree)
      },
    })

    expect(load({ get: query({ ...terms, output: z.object({ tree: Tree, any: z.json() }) }) })).not.toThrow()
  })
})

describe('a secret', () => {
  it.each([
    ['is not in the output', z.object({ id: z.string() }), 'the secret "key" is not in the output'],
    ['is asked of an output without fields', z.string(), 'the secret "key" is not in the output'],
    ['must always be there', z.object({ key: z.string() }), 'so it must be optional'],
    ['may be null but must be there', z.object({ key: z.string().nullable() }), 'so it must be optional'],
  ])('is refused when it %s', (_, output, reason) => {
    expect(load({ make: command({ ...terms, output, repeat: 'keyed', secret: 'key' }) })).toThrow(reason)
  })

  it('is taken when the output can do without it', () => {
    expect(load({ make: command({ ...terms, output: z.object({ key: z.string().optional() }), repeat: 'keyed', secret: 'key' }) })).not.toThrow()
  })
})

describe('query and command', () => {
  it('let a query ignore fields it does not know, and a command refuse them', () => {
    const typo = { id: 'a', ifVerzion: 1 }

    expect(query(terms).input.safeParse(typo)).toEqual({ success: true, data: { id: 'a' } })
    expect(command({ ...terms, repeat: 'natural' }).input.safeParse(typo).success).toBe(false)
  })

  it('say what they are', () => {
    expect(query(terms)).toMatchObject({ kind: 'query', repeat: 'natural', queue: false })
    expect(command({ ...terms, repeat: 'unsafe' })).toMatchObject({ kind: 'command', repeat: 'unsafe', queue: false })
    expect(command({ ...terms, repeat: 'keyed', queue: true })).toMatchObject({ kind: 'command', repeat: 'keyed', queue: true })
  })
})

import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import * as schemas from '../src/index.ts'

const { apiResponseSchema, filterSchema, idSchema, jsonObjectSchema, paginatedResponseSchema, paginationSchema, permissionSchema, queueMessageSchema } = schemas
const { sortSchema, text, thingIdSchema, timestampSchema, visibilitySchema } = schemas

const principal = { id: 'key_1', kind: 'key', tenant: 'default', permissions: ['things:*'] }
const message = { id: 'job_1', operation: 'upsert', input: { a: 1 }, principal }

function nested(depth: number): unknown {
  return JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
}

describe('the shared schemas', () => {
  it.each([
    ['text', text(3), 'a\nü'],
    ['text', text(3), '🎈'],
    ['pagination', paginationSchema, { limit: 100, cursor: 'x', page: 1 }],
    ['filter', filterSchema, { field: 'data.tags', op: 'eq', value: null }],
    ['filter', filterSchema, { field: '$type', op: 'in', value: ['Note'] }],
    ['sort', sortSchema, { field: 'createdAt', direction: 'desc' }],
    ['permission', permissionSchema, 'deployments:create@db/production/acme'],
    ['thing id', thingIdSchema, 'note/2026/hello'],
    ['id', idSchema('note'), 'note_0123456789abcdefghjkmnpqrs'],
    ['timestamp', timestampSchema, '2026-11-01T00:00:00.000Z'],
    ['visibility', visibilitySchema, 'public'],
    ['page', paginatedResponseSchema(z.string()), { items: ['a'], nextCursor: null }],
    ['success', apiResponseSchema(z.string()), { success: true, data: 'a' }],
    ['failure', apiResponseSchema(z.string()), { success: false, error: { code: 'CONFLICT', message: 'No' } }],
    ['queue message', queueMessageSchema, message],
    ['JSON object', jsonObjectSchema, { a: [null, true, 1.5, 'ü', {}], '\\u0000': 'a backslash is no NUL' }],
    ['JSON object', jsonObjectSchema, nested(64)],
  ] as [string, z.ZodType, unknown][])('accept a %s: %#', (_, schema, value) => {
    expect(schema.safeParse(value)).toEqual({ success: true, data: value })
  })

  it.each([
    ['text', text(3), 'abcd'],
    ['text', text(3), 'a\u0000'],
    ['text', text(3), '\ud800'],
    ['pagination', paginationSchema, { limit: 101 }],
    ['pagination', paginationSchema, { limit: 0 }],
    ['pagination', paginationSchema, { limit: 1.5 }],
    ['pagination', paginationSchema, { limit: '20' }],
    ['pagination', paginationSchema, { page: 0 }],
    ['filter', filterSchema, { field: 'a; drop table', op: 'eq', value: 1 }],
    ['filter', filterSchema, { field: 'a', op: 'in', value: 1 }],
    ['filter', filterSchema, { field: 'a', op: 'like', value: 'x' }],
    ['sort', sortSchema, { field: 'a', direction: 'down' }],
    ['permission', permissionSchema, 'things'],
    ['thing id', thingIdSchema, 'a/../b'],
    ['thing id', thingIdSchema, 'a'.repeat(513)],
    ['id', idSchema('note'), 'key_0123456789abcdefghjkmnpqrs'],
    ['id', idSchema('note'), 'note_0123456789ABCDEFGHJKMNPQRS'],
    ['timestamp', timestampSchema, '2026-11-01T00:00:00+01:00'],
    ['timestamp', timestampSchema, '2026-02-30T00:00:00Z'],
    ['failure', apiResponseSchema(z.string()), { success: false, error: { code: 'TEAPOT', message: 'No' } }],
    ['queue message', queueMessageSchema, { ...message, operation: '__proto__' }],
    ['queue message', queueMessageSchema, { ...message, extra: 1 }],
    ['JSON object', jsonObjectSchema, undefined],
    ['JSON object', jsonObjectSchema, [1]],
    ['JSON object', jsonObjectSchema, { a: ['b\u0000'] }],
    ['JSON object', jsonObjectSchema, { 'a\u0000': 1 }],
    ['JSON object', jsonObjectSchema, { a: '\ud800' }],
    ['JSON object', jsonObjectSchema, JSON.parse('{"a":{"__proto__":1}}')],
    ['JSON object', jsonObjectSchema, JSON.parse('{"__proto__":1}')],
    ['JSON object', jsonObjectSchema, { a: 1n }],
    ['JSON object', jsonObjectSchema, nested(65)],
    ['JSON object', jsonObjectSchema, nested(5000)],
  ] as [string, z.ZodType, unknown][])('refuse a %s: %#', (_, schema, value) => {
    expect(schema.safeParse(value).success).toBe(false)
  })

  it('fill in what a list is asked for by default', () => {
    expect(paginationSchema.parse({})).toEqual({ limit: 20 })
    expect(sortSchema.parse({ field: 'a' })).toEqual({ field: 'a', direction: 'asc' })
  })

  it.each([
    ...Object.entries<unknown>(schemas).filter((entry): entry is [string, z.ZodType] => entry[1] instanceof z.ZodType),
    ['text', text(10)],
    ['id', idSchema('note')],
    ['page', paginatedResponseSchema(z.string())],
    ['envelope', apiResponseSchema(z.string())],
  ] as [string, z.ZodType][])('have a JSON Schema form that says something: %s', (_, schema) => {
    const { $schema: _dialect, ...form } = z.toJSONSchema(schema, { io: 'input' })

    expect(Object.keys(form)).not.toEqual([])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../src/base64url.ts'
import { decodeCursor, encodeCursor, pageOf } from '../src/cursor.ts'

const isAnything = (value: unknown): value is unknown => value !== undefined
const isText = (value: unknown): value is string => typeof value === 'string'

describe('cursors', () => {
  it.each([[['2026-01-01T00:00:00Z', 'note/ü']], [{ a: null }], ['x'], [0], [null]])('bring back %j', (value) => {
    expect(decodeCursor(encodeCursor(value), isAnything)).toEqual(value)
  })

  it.each(['%%%', 'a', 'e30=', encodeBase64url(new Uint8Array([0xff])), encodeBase64url(new TextEncoder().encode('{')), 'A'.repeat(5000), ''])(
    'refuse %j and name the field',
    (text) => {
      expect(() => decodeCursor(text, isAnything)).toThrowError(
        expect.objectContaining({ code: 'INVALID', details: [{ path: 'cursor', message: expect.any(String) }] }),
      )
    },
  )
})

describe('pages', () => {
  it('refuse the cursor of another list', () => {
    expect(() => decodeCursor(encodeCursor(7), isText)).toThrowError(expect.objectContaining({ code: 'INVALID' }))
    expect(decodeCursor(encodeCursor('a'), isText)).toBe('a')
  })

  it('have a next one exactly when more was found than asked for', () => {
    expect(pageOf(['a', 'b', 'c'], 2, (item) => item)).toEqual({ items: ['a', 'b'], nextCursor: encodeCursor('b') })
    expect(pageOf(['a', 'b'], 2, (item) => item)).toEqual({ items: ['a', 'b'], nextCursor: null })
    expect(pageOf([], 2, (item) => item)).toEqual({ items: [], nextCursor: null })
  })
})

describe('base64url', () => {
  it('agrees with Node and comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = encodeBase64url(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64url'))
        expect(decodeBase64url(text)).toEqual(new Uint8Array(bytes))
      }),
    )
  })
})

import fc from 'fast-check'
import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalJson, hmacSha256Base64url, sha256Hex } from '../src/canonical-json.ts'

describe('canonicalJson', () => {
  it('sorts keys at every depth, numbers among them as text', () => {
    expect(canonicalJson({ b: [{ z: 1, a: null }], 10: 'x', 9: 'y', a: true })).toBe('{"10":"x","9":"y","a":true,"b":[{"a":null,"z":1}]}')
  })

  it('writes what JSON.parse reads as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('gives one text for one value, in whatever order its keys were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(canonicalJson(Object.fromEntries(Object.entries(value).reverse()))).toBe(canonicalJson(value))
      }),
    )
  })

  it('leaves out what JSON leaves out', () => {
    expect(canonicalJson({ a: undefined, b: [undefined], c: new Date(0), d: Number.NaN })).toBe('{"b":[null],"c":"1970-01-01T00:00:00.000Z","d":null}')
    expect(canonicalJson(undefined)).toBe('null')
  })

  it('refuses a value nested too deeply instead of overflowing the stack', () => {
    const deep: unknown = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000))

    expect(() => canonicalJson(deep)).toThrowError(expect.objectContaining({ code: 'INVALID' }))
  })
})

describe('digests', () => {
  it.each(['', 'abc', 'Größe 🎈'])('agree with Node on %j', async (text) => {
    expect(await sha256Hex(text)).toBe(createHash('sha256').update(text).digest('hex'))
    expect(await hmacSha256Base64url('key ü', text)).toBe(createHmac('sha256', 'key ü').update(text).digest('base64url'))
  })
})

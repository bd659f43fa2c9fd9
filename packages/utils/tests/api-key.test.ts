import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { displayApiKey, generateApiKey, parseApiKey } from '../src/api-key.ts'

describe('API keys', () => {
  it.each(['live', 'test'] as const)('are known again with their mode: %s', (mode) => {
    const key = generateApiKey(mode)

    expect(key).toMatch(new RegExp(`^sk_${mode}_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$`))
    expect(parseApiKey(key)).toEqual({ mode })
  })

  it('end in the CRC-32 that zlib computes, in base 62', () => {
    const key = generateApiKey('live')

    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    const checksum = Array.from(key.slice(-6)).reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0)

    expect(checksum).toBe(crc32(key.slice(0, -6)))
  })

  it('are refused with any one character changed', () => {
    const key = generateApiKey('live')

    const changed = Array.from(key, (character, index) => key.slice(0, index) + (character === 'A' ? 'B' : 'A') + key.slice(index + 1))

    expect(changed.filter((text) => parseApiKey(text))).toEqual([])
  })

  it('are refused in the other mode', () => {
    const key = generateApiKey('test')

    expect(parseApiKey(key.replace('sk_test_', 'sk_live_'))).toBeUndefined()
  })

  it.each(['', 'sk_live_', 'x'.repeat(57), `sk_live_${'ü'.repeat(49)}`, `${generateApiKey('live')}\n`, generateApiKey('live').repeat(1000)])(
    'does not throw on %j',
    (text) => {
      expect(parseApiKey(text)).toBeUndefined()
    },
  )

  it('are shown again by twelve characters only', () => {
    const key = generateApiKey('live')

    expect(displayApiKey(key)).toBe(`${key.slice(0, 12)}…`)
  })
})

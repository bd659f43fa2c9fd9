import { generateId } from '@dot-do/worker-utils'
import { describe, expect, it } from 'vitest'
import { hashRefreshToken, makeRefreshToken, readRefreshToken } from '../src/sessions/refresh-token.ts'
import { seal, unseal } from '../src/sessions/sealing.ts'

const env = { JWT_SIGNING_KEY: 'the signing secret of tests, long enough' }
const other = { JWT_SIGNING_KEY: 'another signing secret, as long as that' }
const session = generateId('sess')

/** A text with one character changed for another of base64url. */
function changed(text: string, place: number): string {
  const at = place < 0 ? text.length + place : place
  return text.slice(0, at) + (text.at(at) === 'A' ? 'B' : 'A') + text.slice(at + 1)
}

describe('a refresh token', () => {
  it('names its session, and is read back', async () => {
    const token = await makeRefreshToken(session, env)

    expect(token.text).toMatch(/^rt_[0-9a-hjkmnp-tv-z]{26}_[A-Za-z0-9_-]{43}$/)
    expect(await readRefreshToken(token.text, env)).toEqual(token)
    expect(await hashRefreshToken(token)).not.toContain(token.text.slice(-20))
  })

  it('is another each time', async () => {
    const tokens = await Promise.all(Array.from({ length: 50 }, () => makeRefreshToken(session, env)))

    expect(new Set(tokens.map(({ text }) => text)).size).toBe(50)
  })

  it.each([
    ['with the first random character changed', (text: string) => changed(text, 'rt_'.length + 27)],
    ['with the checksum changed', (text: string) => changed(text, -4)],
    ['with two bits set that carry nothing', (text: string) => text.slice(0, -1) + next(text.slice(-1))],
    ['of another session', (text: string) => `rt_${generateId('x').slice(2)}${text.slice(29)}`],
    ['a character short', (text: string) => text.slice(0, -1)],
    ['a character long', (text: string) => `${text}A`],
    ['in upper case', (text: string) => text.toUpperCase()],
    ['with a line break at its end', (text: string) => `${text}\n`],
    ['that is an API key', () => 'sk_test_0123456789012345678901234567890123456789012345678'],
    ['that is nothing', () => ''],
  ])('is not taken %s', async (_name, forge) => {
    const { text } = await makeRefreshToken(session, env)

    expect(await readRefreshToken(forge(text), env)).toBeUndefined()
  })

  it('is of no use where the secret is another', async () => {
    const { text } = await makeRefreshToken(session, env)

    expect(await readRefreshToken(text, other)).toBeUndefined()
  })

  it.each([{}, { JWT_SIGNING_KEY: '' }, { JWT_SIGNING_KEY: 'too short' }])('is not made without a proper secret: %j', async (without) => {
    await expect(makeRefreshToken(session, without)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})

describe('what is sealed', () => {
  const to = { purpose: 'tests', context: 'this' }

  it('is opened by whoever knows purpose, context and secret, and is different each time', async () => {
    const [once, again] = await Promise.all([seal('a secret', to, env), seal('a secret', to, env)])

    expect(once).not.toBe(again)
    expect([await unseal(once, to, env), await unseal(again, to, env)]).toEqual(['a secret', 'a secret'])
  })

  it.each([
    ['under another secret', to, other],
    ['in another context', { ...to, context: 'that' }, env],
    ['for another purpose', { ...to, purpose: 'others' }, env],
  ])('stays shut %s', async (_name, wrong, secret) => {
    expect(await unseal(await seal('a secret', to, env), wrong, secret)).toBeUndefined()
  })

  it.each([0, 15, 16, 17, -2])('stays shut when it was changed at %i', async (place) => {
    expect(await unseal(changed(await seal('a secret', to, env), place), to, env)).toBeUndefined()
  })

  it.each(['', 'AAAA', 'not base64url!'])('is not %j', async (text) => {
    expect(await unseal(text, to, env)).toBeUndefined()
  })
})

/** The character whose value is one more: of 43 characters the last carries four bits, and two that are always 0. */
function next(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet.charAt(alphabet.indexOf(character) + 1)
}

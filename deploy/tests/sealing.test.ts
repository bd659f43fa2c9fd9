import { describe, expect, it } from 'vitest'
import { open, seal } from '../src/sealing.ts'

const KEY = 'the key'
const owner = { tenant: 'acme', service: 'hello', environment: 'production', name: 'TOKEN' }

describe('a sealed secret', () => {
  it('opens to what it was', async () => {
    expect(await open(await seal('hunter2 ü', owner, KEY), owner, KEY)).toBe('hunter2 ü')
  })

  it('never reads the same twice, and does not show what it holds', async () => {
    const [one, other] = [await seal('hunter2', owner, KEY), await seal('hunter2', owner, KEY)]

    expect(one).not.toBe(other)
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain('hunter2')
  })

  it.each(Object.keys(owner))('opens for nobody else: another %s', async (part) => {
    const sealed = await seal('hunter2', owner, KEY)

    await expect(open(sealed, { ...owner, [part]: 'another' }, KEY)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('set it again') as string,
    })
  })

  it.each([
    ['under another key', (sealed: string) => sealed, 'another key'],
    ['once it was touched', (sealed: string) => `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`, KEY],
    ['when it is none', () => 'no secret', KEY],
  ])('does not open %s', async (_what, change, key) => {
    const sealed = change(await seal('hunter2', owner, KEY))

    await expect(open(sealed, owner, key)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('is not made without a key', async () => {
    await expect(seal('hunter2', owner, undefined)).rejects.toThrow(/DEPLOY_SECRET_KEY/)
  })
})

import { describe, expect, it, vi } from 'vitest'
import { admin } from './client.ts'
import { canary, published, share } from './canaries.ts'
import { says, visit } from './publisher.ts'
import { eventually } from '../eventually.ts'

describe('a canary', () => {
  it('keeps a visitor where it is, by cookie and by header', async () => {
    const name = await published(says('live'), says('canary'))
    await canary(name, { percent: 50 })
    const first = await eventually(async () => {
      const answer = await visit(`${name}.do`)
      expect(answer.headers['set-cookie']).toBeDefined()
      return answer
    })
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? ''

    const byCookie = await Promise.all(Array.from({ length: 50 }, () => visit(`${name}.do`, '/', { headers: { cookie } })))
    const byHeader = await Promise.all(Array.from({ length: 50 }, () => visit(`${name}.do`, '/', { headers: { 'x-canary-key': 'somebody' } })))

    expect(new Set(byCookie.map(({ text }) => text))).toEqual(new Set([first.text]))
    expect(new Set(byHeader.map(({ text }) => text)).size).toBe(1)
  })

  it('is met by whoever asks for it by its header, at any share', async () => {
    const name = await published(says('live'), says('canary'))
    await canary(name, { percent: 0, header: 'x-try-new' })

    await eventually(async () => expect((await visit(`${name}.do`, '/', { headers: { 'x-try-new': '1' } })).text).toBe('canary'))
    expect(await share(name, 100)).toBe(0)
  })

  it('gives up by itself when too many of its answers are errors', async () => {
    const name = await published(
      says('live'),
      `let n = 0; export default { fetch() { if (n++ > 0) throw new Error('broken'); return new Response('canary') } }`,
    )
    await canary(name, { percent: 60, abortOn: { errorRate: 0.2, minRequests: 20 } })

    const slot = await vi.waitFor(
      async () => {
        await Promise.all(Array.from({ length: 40 }, () => visit(`${name}.do`)))
        const { data } = await admin(`/deploy/workers/${name}`)
        const [production] = data['slots'] as unknown as { canary: unknown; abortedCanary: { version: number; reason: string } | null }[]
        expect(production?.canary).toBeNull()
        return production
      },
      { timeout: 20_000, interval: 100 },
    )

    expect(slot?.abortedCanary).toMatchObject({ version: 2, reason: expect.stringContaining('20') as string })
    await eventually(async () => expect(await share(name, 100)).toBe(0))
    expect((await visit(`${name}.do`)).text).toBe('live')
  })

  it('becomes what is live at 100 %, and ends at 0', async () => {
    const name = await published(says('live'), says('canary'))
    await canary(name, { percent: 30 })
    expect(await canary(name, { percent: 0 })).toMatchObject({ data: { canary: null, live: 1 } })

    expect(await canary(name, { percent: 100 })).toMatchObject({ data: { canary: null, live: 2 } })

    await eventually(async () => expect((await visit(`${name}.do`)).text).toBe('canary'))
  })

  it('cannot be what is live, nor what was never published', async () => {
    const name = await published(says('live'), says('canary'))

    expect(await canary(name, { version: 1, percent: 10 })).toMatchObject({ status: 409 })
    expect(await canary(name, { version: 9, percent: 10 })).toMatchObject({ status: 404 })
    expect(await canary(name, { percent: 101 })).toMatchObject({ status: 400 })
  })
})

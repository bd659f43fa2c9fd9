import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { adminFetch, bootPlatform, type BootedPlatform } from './platform.ts'
import { publish, visit } from './published.ts'

let platform: BootedPlatform

beforeAll(async () => {
  platform = await bootPlatform()
})
afterAll(() => platform.stop())

/** Answers, and does harm when asked for `/harm`. */
const HARMFUL = {
  spins: `export default { fetch(request) { if (new URL(request.url).pathname === '/harm') for (;;) {} return new Response('fine') } }`,
  'spins-later': `export default { fetch(request, env, ctx) {
    if (new URL(request.url).pathname === '/harm') ctx.waitUntil(new Promise((resolve) => setTimeout(resolve, 1)).then(() => { for (;;) {} }))
    return new Response('fine') } }`,
  allocates: `const kept = []; export default { fetch(request) { if (new URL(request.url).pathname === '/harm') for (;;) kept.push(new Array(100_000).fill(kept.length)); return new Response('fine') } }`,
  buffers: `const kept = []; export default { fetch(request) { if (new URL(request.url).pathname === '/harm') for (;;) kept.push(new Uint8Array(50_000_000).fill(1)); return new Response('fine') } }`,
}

describe.each(Object.entries(HARMFUL))('a tenant’s worker that %s', (name, code) => {
  it('hurts itself: neighbours answer meanwhile, the platform does all along, and it answers again when it behaves', { timeout: 240_000 }, async () => {
    const neighbours = Array.from({ length: 6 }, (_, index) => `n${index}-${name}`)
    for (const neighbour of neighbours)
      expect(await publish(platform, neighbour, `export default { fetch: () => new Response('${neighbour}') }`)).toMatchObject({ status: 201 })
    expect(await publish(platform, name, code)).toMatchObject({ status: 201 })
    for (const neighbour of neighbours) await visit(platform, `${neighbour}.do`)
    const wrong: unknown[] = []
    let over = false
    const watch = async (ask: () => Promise<{ status: number }>) => {
      while (!over) {
        const answer = await ask()
        if (answer.status !== 200) wrong.push(answer.status, 'text' in answer ? answer.text : '')
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const watching = [...neighbours.map((neighbour) => watch(() => visit(platform, `${neighbour}.do`))), watch(() => adminFetch(platform, '/db/count'))]

    const harmed = await visit(platform, `${name}.do`, { path: '/harm' })
    await vi.waitFor(async () => expect(await visit(platform, `${name}.do`)).toMatchObject({ status: 200, text: 'fine' }), { timeout: 240_000, interval: 250 })
    over = true
    await Promise.all(watching)

    if (name !== 'spins-later') expect(harmed).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^\d+$/) as string })
    expect(wrong).toEqual([])
  })
})

describe('a worker that cannot be loaded', () => {
  it.each([
    ['throws', `throw new Error('no'); export default { fetch() {} }`],
    ['spins', `for (;;) {} export default { fetch() {} }`],
  ])('because it %s at load is refused, and what was live stays', { timeout: 180_000 }, async (how, code) => {
    const name = `load-${how}`
    await publish(platform, name, `export default { fetch: () => new Response('before') }`)

    const refused = await publish(platform, name, code)

    expect(refused.status).toBeGreaterThanOrEqual(400)
    expect((await visit(platform, `${name}.do`)).text).toBe('before')
  })
})

describe('subrequests', () => {
  it('are counted: the fifty-first fails inside the worker', async () => {
    const code = `export default { async fetch(request, env) {
      let done = 0
      try { for (;;) { await env.KV.get('a'); done++ } } catch (error) { return new Response(done + ' ' + error.message) }
    } }`
    await publish(platform, 'asks-much', code, { bindings: [{ type: 'kv', name: 'KV' }] })

    expect((await visit(platform, 'asks-much.do')).text).toMatch(/^50 .*subrequests/i)
  })
})

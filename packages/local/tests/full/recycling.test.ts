import { expect, it, vi } from 'vitest'
import { scene } from '../cloudflare/runtime/runtime-under-test.ts'

it('gives an idle process that still holds memory up for a fresh one, and nobody notices', { timeout: 180_000 }, async () => {
  const platform = await scene({ shards: 1, idle: { idleMs: 200, residentBytes: 1 } })
  await platform.publish('hello', `export default { fetch: () => new Response('hello') }`)
  expect(await (await platform.get('/hello')).text()).toBe('hello')
  const [before] = (await platform.runtime.placements()).filter(({ role }) => role === 'shared')

  await vi.waitFor(() => expect(platform.runtime.pids).not.toContain(before?.pid), { timeout: 120_000, interval: 100 })

  expect(await (await platform.get('/hello')).text()).toBe('hello')
  expect((await platform.runtime.placements()).filter(({ role }) => role === 'shared')).toHaveLength(1)
})

it('keeps a process in which something still runs', async () => {
  const platform = await scene({ shards: 1, idle: { idleMs: 100, residentBytes: 1 } })
  await platform.publish('waits', `export default { async fetch() { await scheduler.wait(5_000); return new Response('done') } }`)

  // Not a GET, which would be sent again unnoticed.
  const answer = await platform.get('/waits', { method: 'POST', body: 'once' })

  expect(await answer.text()).toBe('done')
})

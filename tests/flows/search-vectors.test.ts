import { describe, expect, it } from 'vitest'
import { ask, makeKey, rpc, unique } from './client.ts'

/** An embedding is made after the write was answered, so whoever waits for one asks again until it is there. */
const soon = { timeout: 20_000, interval: 100 }

async function writer(): Promise<{
  key: string
  tenant: string
  write: (id: string, content: string) => Promise<unknown>
  nearest: (q: string) => Promise<string[]>
}> {
  const { key, tenant } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('near') })
  const write = (id: string, content: string) => ask('/db/things', { key, body: { $type: 'Note', $id: id, content } })
  const nearest = async (q: string) => {
    const { data } = await ask(`/db/search?mode=vector&q=${encodeURIComponent(q)}`, { key })
    return (data['items'] as unknown as { thing: { $id: string } }[]).map(({ thing }) => thing.$id)
  }
  return { key, tenant, write, nearest }
}

describe('things are found by nearness', () => {
  it('a moment after they were written, with a word spelt wrong', async () => {
    const { write, nearest } = await writer()
    await write('note/1', 'A zebra has stripes.')
    await write('note/2', 'A heron stands in water.')

    await expect.poll(() => nearest('zebbra stipes'), soon).toEqual(['note/1', 'note/2'])
    await expect.poll(() => nearest('herron in watter'), soon).toEqual(['note/2', 'note/1'])
  })

  it('by what they say now, and not once they are deleted', async () => {
    const { key, write, nearest } = await writer()
    await write('note/1', 'A zebra has stripes.')
    await write('note/2', 'A heron stands in water.')
    await write('note/1', 'Nothing about animals: invoices.')
    await expect.poll(() => nearest('invoice'), soon).toEqual(['note/1', 'note/2'])

    await ask('/db/things/note/1', { key, method: 'DELETE' })

    expect(await nearest('invoice')).toEqual(['note/2'])
  })

  it('together with words unless told otherwise, and explained on request', async () => {
    const { key, write, nearest } = await writer()
    await write('note/1', 'A zebra has stripes.')
    await expect.poll(() => nearest('zebra'), soon).toEqual(['note/1'])

    const { data } = await ask('/db/search?q=zebra&explain=true', { key })

    expect(data).toMatchObject({ mode: 'hybrid', model: 'hashing-384-v1' })
    expect(data['items']?.[0]).toMatchObject({ thing: { $id: 'note/1' }, explain: { fullText: { rank: 1 }, vector: { rank: 1 } } })
  })

  it('to an embedding of the caller’s', async () => {
    const { tenant, write, nearest } = await writer()
    await write('note/1', 'A zebra has stripes.')
    await expect.poll(() => nearest('zebra'), soon).toEqual(['note/1'])

    const found = await rpc('DB_ADMIN', 'search', { ns: tenant, embedding: Array.from({ length: 384 }, (_, place) => place - 190) })
    const refused = await rpc('DB_ADMIN', 'search', { ns: tenant, embedding: [1, 2, 3] })

    expect(found.value).toMatchObject({ mode: 'vector', items: [{ thing: { $id: 'note/1' } }] })
    expect(refused.error).toMatchObject({ code: 'INVALID', details: [{ path: 'embedding' }] })
  })
})

describe('an embedding', () => {
  it('is made anew on request, of the version there is', async () => {
    const { key, write } = await writer()
    await write('note/1', 'one')
    await write('note/1', 'two')

    const made = await ask('/db/embeddings', { key, body: { id: 'note/1' } })
    const missing = await ask('/db/embeddings', { key, body: { id: 'note/none' } })

    expect(made).toMatchObject({ status: 200, data: { model: 'hashing-384-v1', version: 2 } })
    expect(missing).toMatchObject({ status: 404 })
  })

  it('that is missing is made for whoever maintains the database, and nobody else', async () => {
    const { key } = await writer()

    const made = await rpc('DB_ADMIN', 'generateMissingEmbeddings', {})
    const refused = await ask('/db/maintenance/embeddings', { key, body: {} })

    expect(made.value).toMatchObject({ made: expect.any(Number), missing: 0 })
    expect(refused).toMatchObject({ status: 403 })
  })
})

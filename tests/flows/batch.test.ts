import { describe, expect, it } from 'vitest'
import { admin, ask, makeKey, rpc, unique } from './client.ts'

describe('a batch', () => {
  it('changes all or nothing, and names the command that was refused', async () => {
    const [kept, missing] = [unique('note/kept'), unique('note/missing')]
    const commands = [
      { operation: 'upsert', input: { $type: 'Note', $id: kept, content: 'new' } },
      { operation: 'update', input: { id: missing, content: 'x' } },
    ]

    const refused = await admin('/db/batch', { body: { commands } })
    const read = await admin(`/db/things/${kept}`)

    expect(refused).toMatchObject({ status: 404, error: { code: 'NOT_FOUND', details: [{ path: 'commands.1.input.id' }] } })
    expect(read.status).toBe(404)
  })

  it('applies its commands in order and answers for each', async () => {
    const $id = unique('note')
    const commands = [
      { operation: 'upsert', input: { $type: 'Note', $id, content: 'one' } },
      { operation: 'update', input: { id: $id, content: 'two', ifVersion: 1 } },
      { operation: 'delete', input: { id: $id } },
    ]

    const { status, data } = await admin('/db/batch', { body: { commands } })

    expect(status).toBe(200)
    expect(data['results']).toMatchObject([{ version: 1, content: 'one' }, { version: 2, content: 'two' }, { version: 3 }])
  })
})

describe('a batch of things that need one another', () => {
  const ref = (command: number) => ({ $result: `${command}.$id` })

  it('refers to what it makes, over HTTP and RPC', async () => {
    const commands = [
      { operation: 'upsert', input: { $type: 'Author' } },
      { operation: 'upsert', input: { $type: 'Post', data: { by: [ref(0)] } } },
      { operation: 'relate', input: { from: ref(1), predicate: 'author', to: ref(0) } },
    ]

    const overHttp = (await admin('/db/batch', { body: { commands } })).data
    const overRpc = (await rpc('DB_ADMIN', 'batch', { commands })).value

    for (const { results } of [overHttp, overRpc] as unknown as { results: Record<string, unknown>[] }[]) {
      const [author, post] = results.map(({ $id }) => $id)
      expect(results).toMatchObject([{ $type: 'Author' }, { data: { by: [author] } }, { from: post, to: author, version: 1 }])
    }
  })

  it.each([
    ['itself', 1],
    ['what comes later', 2],
    ['what never comes', 50],
  ])('is refused when it refers to %s, and does nothing', async (_name, command) => {
    const $id = unique('note/cyclic')
    const commands = [
      { operation: 'upsert', input: { $type: 'Note', $id } },
      { operation: 'update', input: { id: ref(command) } },
      { operation: 'delete', input: { id: ref(1) } },
    ]

    const refused = await admin('/db/batch', { body: { commands } })

    expect(refused).toMatchObject({ status: 400, error: { code: 'INVALID', details: [{ path: 'commands.1.input.id' }] } })
    expect((await admin(`/db/things/${$id}`)).status).toBe(404)
  })

  it('is imported as exported lines, all or none', async () => {
    const { key } = await makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('tenant') })
    const lines = [
      { $type: 'Author', $id: 'ada' },
      { $type: 'Post', $id: 'post', content: 'Hi' },
      { from: 'post', predicate: 'author', to: 'ada' },
    ]

    const refused = await ask('/db/import', { key, body: { lines: [...lines, { from: 'post', predicate: 'author', to: 'nobody' }] } })
    const empty = await ask('/db/count', { key })
    const written = await ask('/db/import', { key, body: { lines } })
    const again = await ask('/db/import', { key, body: { lines } })

    expect(refused).toMatchObject({ status: 404, error: { details: [{ path: 'lines.3.to' }] } })
    expect(empty.data).toEqual({ count: 0 })
    expect([written.data, again.data]).toEqual([
      { things: 2, relationships: 1, changed: 3 },
      { things: 2, relationships: 1, changed: 0 },
    ])
  })
})

describe('an Idempotency-Key', () => {
  const keyed = (key: string) => ({ 'idempotency-key': key })

  it('gets the first answer again for the same input, though the thing has changed since', async () => {
    const [$id, key] = [unique('note'), unique('idem')]
    const body = { $type: 'Note', $id, content: 'first' }

    const first = await admin('/db/things', { body, headers: keyed(key) })
    await admin(`/db/things/${$id}`, { method: 'PATCH', body: { content: 'changed' } })
    const again = await admin('/db/things', { body, headers: keyed(key) })

    expect(again.data).toEqual(first.data)
    expect((await admin(`/db/things/${$id}`)).data).toMatchObject({ content: 'changed', version: 2 })
  })

  it('is refused for another input', async () => {
    const key = unique('idem')
    await admin('/db/things', { body: { $type: 'Note', content: 'a' }, headers: keyed(key) })

    const other = await admin('/db/things', { body: { $type: 'Note', content: 'b' }, headers: keyed(key) })

    expect(other).toMatchObject({ status: 409, error: { code: 'CONFLICT', details: [{ path: 'Idempotency-Key' }] } })
  })

  it('lets an effect happen once, however many ask at the same time', async () => {
    const [type, key] = [unique('Racy'), unique('idem')]

    const answers = await Promise.all(Array.from({ length: 12 }, () => admin('/db/things', { body: { $type: type, content: 'x' }, headers: keyed(key) })))
    const { data } = await admin(`/db/count?type=${type}`)

    expect(new Set(answers.map(({ data }) => data?.['$id']))).toHaveProperty('size', 1)
    expect(data).toEqual({ count: 1 })
  })

  it('of one caller never meets the same key of another', async () => {
    const key = unique('idem')
    const other = await makeKey({ permissions: ['things:write'], tenant: unique('tenant') })

    const ours = await admin('/db/things', { body: { $type: 'Note' }, headers: keyed(key) })
    const theirs = await ask('/db/things', { key: other.key, body: { $type: 'Note' }, headers: keyed(key) })

    expect(theirs.status).toBe(201)
    expect(theirs.data['$id']).not.toBe(ours.data['$id'])
  })
})

import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { ask, makeKey, rpc, rpcLines, unique, type Loose } from './client.ts'
import { openFeed, type FeedAddress, type OpenFeed } from './feed.ts'

const { url } = inject('platform')

interface Tenant {
  key: string
  tenant: string
}

/** A tenant of its own, so that other tests' changes are not told. */
function newTenant(): Promise<Tenant> {
  return makeKey({ permissions: ['things:read', 'things:write'], tenant: unique('feed') })
}

async function open({ key }: Pick<Tenant, 'key'>, address: Partial<FeedAddress> = {}): Promise<OpenFeed> {
  const feed = await openFeed({ url, key, ...address })
  onTestFinished(() => feed.close())
  return feed
}

async function write({ key }: Tenant, $id: string, $type = 'Note'): Promise<void> {
  const { status, text } = await ask('/db/things', { key, body: { $type, $id } })
  if (status !== 201) throw new Error(text)
}

const ids = (events: { data: Loose }[]) => events.map(({ data }) => data['thing']?.['$id'])

describe('GET /db/changes', () => {
  it('tells what is written while it is open, each event with its kind, its cursor and the thing', async () => {
    const tenant = await newTenant()
    const feed = await open(tenant)
    await write(tenant, 'a')
    const [first] = await feed.events(1)
    await write(tenant, 'b')
    await ask('/db/relationships', { key: tenant.key, body: { from: 'a', predicate: 'about', to: 'b' } })

    const [second, third] = await feed.events(2)

    expect(feed.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache, no-transform' })
    expect(first).toMatchObject({ event: 'thing', data: { kind: 'thing', operation: 'upsert', ns: tenant.tenant, thing: { $id: 'a', version: 1 } } })
    expect(first?.id).toBe(first?.data['cursor'])
    expect(second).toMatchObject({ event: 'thing', data: { thing: { $id: 'b' } } })
    expect(third).toMatchObject({ event: 'relationship', data: { operation: 'relate', relationship: { from: 'a', to: 'b' } } })
  })

  it('goes on where it was left', async () => {
    const tenant = await newTenant()
    for (const id of ['a', 'b', 'c']) await write(tenant, id)
    const before = await open(tenant)
    const [first] = await before.events(1)
    before.close()

    const resumed = await open(tenant, { path: '/db/changes?since=now', lastEventId: first?.id ?? '' })
    const since = await open(tenant, { path: `/db/changes?since=${first?.id}` })

    expect(ids(await resumed.events(2))).toEqual(['b', 'c'])
    expect(ids(await since.events(2))).toEqual(['b', 'c'])
  })

  it('of some types tells of no others', async () => {
    const tenant = await newTenant()
    await write(tenant, 'n')
    await write(tenant, 't', 'Task')
    await write(tenant, 'd', 'Doc')

    const feed = await open(tenant, { path: '/db/changes?types=Task,Doc' })

    expect(ids(await feed.events(2))).toEqual(['t', 'd'])
  })

  it('says in quiet times that it is there, by a comment', async () => {
    const feed = await open(await newTenant(), { path: '/db/changes?since=now' })

    expect(await feed.comment()).toBe('heartbeat')
  })

  it('tells everybody the same order, whoever writes at the same time, with no gap between old and new', async () => {
    const tenant = await newTenant()
    const early = await open(tenant)
    const writer = async (name: string) => {
      for (let index = 0; index < 15; index++) await write(tenant, `${name}/${index}`)
    }
    const writers = Promise.all(Array.from({ length: 8 }, (_, index) => writer(`w${index}`)))
    const first = await early.events(30)

    const late = await open(tenant)
    const resumed = await open(tenant, { lastEventId: first.at(-1)?.id ?? '' })
    await writers
    const [all, rest] = await Promise.all([late.events(120), resumed.events(90)])

    expect([...first, ...(await early.events(90))]).toEqual(all)
    expect(rest).toEqual(all.slice(30))
    expect(new Set(ids(all)).size).toBe(120)
    for (let index = 0; index < 8; index++) {
      const own = ids(all).filter((id) => String(id).startsWith(`w${index}/`))
      expect(own).toEqual(Array.from({ length: 15 }, (_, turn) => `w${index}/${turn}`))
    }
  })

  it('tells a thousand changes that were made before it was opened', async () => {
    const tenant = await newTenant()
    const commands = (from: number) => Array.from({ length: 100 }, (_, index) => ({ operation: 'upsert', input: { $type: 'Note', $id: `n/${from + index}` } }))
    for (let from = 0; from < 1_000; from += 100) await ask('/db/batch', { key: tenant.key, body: { commands: commands(from) } })

    const feed = await open(tenant)

    expect(ids(await feed.events(1_000))).toEqual(Array.from({ length: 1_000 }, (_, index) => `n/${index}`))
  })

  it('tells one tenant nothing of another', async () => {
    const [acme, other] = [await newTenant(), await newTenant()]
    await write(other, 'secret')
    await write(acme, 'own')

    const feed = await open(acme)
    const refused = await ask(`/db/changes?ns=${other.tenant}`, { key: acme.key })

    expect(ids(await feed.events(1))).toEqual(['own'])
    expect(refused).toMatchObject({ status: 404, error: { code: 'NOT_FOUND' } })
  })

  it.each([
    ['a stranger', undefined, '/db/changes', 401, 'UNAUTHENTICATED'],
    ['a stranger with a bad question', undefined, '/db/changes?since=%27', 401, 'UNAUTHENTICATED'],
    ['whoever may not read things', ['events:read'], '/db/changes?since=%27', 403, 'FORBIDDEN'],
    ['a cursor that is none', ['things:read'], '/db/changes?since=bm90LWE', 400, 'INVALID'],
    ['a type that is none', ['things:read'], '/db/changes?types=a,-', 400, 'INVALID'],
  ])('refuses %s', async (_what, permissions, path, status, code) => {
    const key = permissions && (await makeKey({ permissions, tenant: unique('feed') })).key

    expect(await ask(path, { key })).toMatchObject({ status, error: { code } })
  })
})

describe('changes over RPC', () => {
  it('is a stream of lines that goes on behind a cursor', async () => {
    const tenant = await newTenant()
    for (const id of ['a', 'b', 'c']) await write(tenant, id)

    const lines: Loose[] = []
    for await (const line of rpcLines('DB_ADMIN', 'changes', { ns: tenant.tenant })) {
      lines.push(line)
      if (lines.length === 3) break
    }
    const rest = rpcLines('DB_ADMIN', 'changes', { ns: tenant.tenant, since: lines[1]?.['cursor'] })
    const next = await rest.next()
    await rest.return(undefined)

    expect(lines.map((line) => line['thing']?.['$id'])).toEqual(['a', 'b', 'c'])
    expect(next.value).toEqual(lines[2])
  })

  it.each([
    ['DB_STRANGER', { since: 7 }, 'UNAUTHENTICATED'],
    ['DB_POWERLESS', { since: 7 }, 'FORBIDDEN'],
    ['DB_READING_DELEGATE', {}, 'FORBIDDEN'],
    ['DB_ADMIN', { since: 7 }, 'INVALID'],
    ['DB_ADMIN', { since: 'bm90LWE' }, 'INVALID'],
  ])('refuses %s with %j', async (binding, input, code) => {
    expect((await rpc(binding, 'changes', input)).error).toMatchObject({ code })
  })
})

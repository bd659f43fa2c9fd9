import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { binding, owned, startDb, type DbInProcess } from '../../db/tests/in-process.ts'
import { service as dbService } from '../../db/src/service.ts'
import type { Env } from '../src/env.ts'
import { service } from '../src/service.ts'

let db: DbInProcess
/** What Workers AI was asked, and what it does with it: a double of Cloudflare’s models, which are no part of any Worker. */
let asked: { model: string; input: unknown }[]
let model: () => unknown

beforeAll(async () => {
  db = await startDb(['db', 'queue'])
})
beforeEach(async () => {
  asked = []
  model = () => ({ response: 'Once upon a time' })
  await db.database.reset()
})
afterAll(() => db.close())

const AI = {
  run: async (name: string, input: unknown) => {
    asked.push({ model: name, input })
    return model()
  },
}

/** queue as somebody of this tenant sees it. */
function as(tenant: string, permissions = ['generations:read', 'generations:write'], bindings: object = { AI }) {
  const DB_SERVICE = binding(dbService, db.env, { principal: { id: 'queue', permissions: ['db:execute'] } })
  const env = { KEY_MODE: 'test', DB_SERVICE, ...bindings } as unknown as Env // what writes and reads texts reaches nothing else
  return binding(service, env, { principal: { id: `writer of ${tenant}`, permissions, tenant } })
}

const failing = (message: string) => () => {
  throw Object.assign(new Error(message), { name: 'InferenceUpstreamError' })
}

describe('generate', () => {
  it('asks the model for so many tokens, and keeps what it wrote in the asker’s namespace', async () => {
    const written = await as('acme').generate({ prompt: 'Tell a story', model: '@cf/acme/storyteller', maxTokens: 100 })

    expect(asked).toEqual([{ model: '@cf/acme/storyteller', input: { messages: [{ role: 'user', content: 'Tell a story' }], max_tokens: 100 } }])
    expect(written).toMatchObject({ ns: 'acme', prompt: 'Tell a story', model: '@cf/acme/storyteller', text: 'Once upon a time', createdBy: 'writer of acme' })
    expect(await as('acme').getGeneration({ id: written.id })).toEqual(written)
  })

  it('reads what newer models answer, and keeps of it what PostgreSQL can', async () => {
    model = () => ({ choices: [{ message: { content: 'nul \0 and half \ud83d' } }] })

    expect(await as('acme').generate({ prompt: 'x' })).toMatchObject({ text: 'nul  and half \ufffd' })
  })

  it('asks once for calls with the same idempotency key', async () => {
    const first = await as('acme').generate({ prompt: 'x' }, { idempotencyKey: 'job_1' })
    const again = await as('acme').generate({ prompt: 'x' }, { idempotencyKey: 'job_1' })

    expect(again).toEqual(first)
    expect(asked).toHaveLength(1)
  })

  it('is UNAVAILABLE, and says why, where Workers AI is not bound', async () => {
    await expect(as('acme', ['*'], {}).generate({ prompt: 'x' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('Workers AI') as string,
    })
  })

  it.each([
    ['5007: No such model @cf/acme/none or task', 'INVALID', 'model'],
    ['AiError: 3042: The model name is invalid', 'INVALID', 'model'],
    ['3006: Request is too large', 'TOO_LARGE', undefined],
    ['3036: You have used up your daily free allocation', 'RATE_LIMITED', undefined],
    ['3040: No more data centers to forward the request to', 'RATE_LIMITED', undefined],
    ['something secret went wrong', 'UPSTREAM', undefined],
  ])('tells of the failure “%s” as %s, and keeps nothing', async (message, code, path) => {
    model = failing(message)

    const refused = await as('acme')
      .generate({ prompt: 'x' })
      .catch((error: unknown) => error)

    expect(refused).toMatchObject({ code, ...(path === undefined ? {} : { details: [{ path }] }) })
    expect(String(refused)).not.toContain('secret')
    expect(await owned(db.database, 'select * from queue.generations')).toEqual([])
  })

  it.each([{}, null, 'text', { choices: [] }, { response: 1 }])('does not take %j for a text', async (answer) => {
    model = () => answer

    await expect(as('acme').generate({ prompt: 'x' })).rejects.toMatchObject({ code: 'UPSTREAM' })
  })

  it('refuses what is no name of a model before it asks', async () => {
    await expect(as('acme').generate({ prompt: 'x', model: '../../secrets' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'model' }] })
    expect(asked).toEqual([])
  })
})

describe('texts that models wrote', () => {
  it('are listed newest first, a page at a time, each once, also of one moment', async () => {
    for (let n = 0; n < 5; n++) await as('acme').generate({ prompt: `prompt ${n}` })
    await db.database.engine.script(`update queue.generations set created_at = now() where prompt in ('prompt 1', 'prompt 2', 'prompt 3')`)

    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await as('acme').listGenerations({ limit: 2, ...(cursor === undefined ? {} : { cursor }) })
      seen.push(...page.items.map(({ prompt }) => prompt))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)

    expect(seen.toSorted()).toEqual(['prompt 0', 'prompt 1', 'prompt 2', 'prompt 3', 'prompt 4'])
    await expect(as('acme').listGenerations({ cursor: 'bm9uZQ' })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'cursor' }] })
  })

  it('are not there for other namespaces, but for whoever may everything', async () => {
    const { id } = await as('acme').generate({ prompt: 'x' })

    await expect(as('globex').getGeneration({ id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(as('globex').listGenerations({ ns: 'acme' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(as('globex').generate({ prompt: 'x', ns: 'acme' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await as('globex').listGenerations({})).items).toEqual([])
    expect(await as('default', ['*']).getGeneration({ id })).toMatchObject({ id, ns: 'acme' })
    expect((await as('default', ['*']).listGenerations({ ns: 'acme' })).items).toHaveLength(1)
  })

  it('are removed by cleanUpGenerations when they are as old as told, in every namespace', async () => {
    for (const tenant of ['acme', 'globex']) for (const prompt of ['old', 'young']) await as(tenant).generate({ prompt })
    await db.database.engine.script(
      `update queue.generations set created_at = now() - case prompt when 'old' then interval '91 days' else interval '89 days' end`,
    )

    const removed = await as('default', ['queue:maintain']).cleanUpGenerations({})

    expect(removed).toEqual({ removed: 2 })
    expect(await owned(db.database, 'select ns, prompt from queue.generations order by ns')).toEqual([
      ['acme', 'young'],
      ['globex', 'young'],
    ])
  })
})

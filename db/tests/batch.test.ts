import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { as, type Db } from './as.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess
let db: Db

beforeAll(async () => {
  running = await startDb(['db'])
})
beforeEach(async () => {
  await running.database.reset()
  db = as(running)
})
afterAll(() => running.close())

type Command = Parameters<Db['batch']>[0]['commands'][number]

const upsert = ($id: string, content = ''): Command => ({ operation: 'upsert', input: { $type: 'Note', $id, content } })
const made = (command: number) => ({ $result: `${command}.$id` })

describe('a batch', () => {
  it('refers to what its earlier commands made, in ids and anywhere in data', async () => {
    const { results } = await db.batch({
      commands: [
        { operation: 'upsert', input: { $type: 'Author' } },
        { operation: 'upsert', input: { $type: 'Post', data: { author: made(0), deep: [{ list: [made(0), 'x'] }] } } },
        { operation: 'relate', input: { from: made(1), predicate: 'author', to: made(0), data: { post: made(1) } } },
        { operation: 'update', input: { id: made(0), data: { posts: [made(1)], named: { $result: '2.id' } } } },
        { operation: 'delete', input: { id: made(1) } },
        { operation: 'restore', input: { id: made(1) } },
        { operation: 'unrelate', input: { from: made(1), predicate: 'author', to: made(0) } },
      ],
    })

    const [author, post, relationship] = results.map((result) => ('$id' in result ? result.$id : result.id))
    expect(author).toMatch(/^author\/[0-9a-z]{26}$/)
    expect(results).toMatchObject([
      { $type: 'Author', version: 1 },
      { $type: 'Post', data: { author, deep: [{ list: [author, 'x'] }] } },
      { from: post, predicate: 'author', to: author, data: { post } },
      { $id: author, version: 2, data: { posts: [post], named: relationship } },
      { $id: post, version: 2 },
      { $id: post, version: 3 },
      { id: relationship, version: 2 },
    ])
    expect(await db.get({ id: String(author) })).toEqual(results[3])
  })

  it.each<[string, Command, string]>([
    ['itself', { operation: 'update', input: { id: made(1) } }, 'commands.1.input.id'],
    ['a later command', { operation: 'delete', input: { id: made(2) } }, 'commands.1.input.id'],
    ['a command that there is not', { operation: 'restore', input: { id: made(99) } }, 'commands.1.input.id'],
    ['a thing by id', { operation: 'update', input: { id: { $result: '0.id' } } }, 'commands.1.input.id'],
    ['itself from its data', { operation: 'upsert', input: { $type: 'Note', data: { a: [{ b: made(1) }] } } }, 'commands.1.input.data.a.0.b'],
    ['a later command from an end', { operation: 'relate', input: { from: 'a', predicate: 'p', to: made(2) } }, 'commands.1.input.to'],
  ])('that refers to %s is refused, names the reference, and does nothing', async (_name, command, path) => {
    const refused = db.batch({ commands: [upsert('a'), command, upsert('b')] })

    await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: [{ path }] })
    expect(await db.count({})).toEqual({ count: 0 })
  })

  it('that refers to a relationship as to a thing is refused', async () => {
    const relate: Command = { operation: 'relate', input: { from: 'a', predicate: 'p', to: 'a' } }

    const refused = db.batch({ commands: [upsert('a'), relate, { operation: 'update', input: { id: made(1) } }] })

    await expect(refused).rejects.toMatchObject({
      code: 'INVALID',
      details: [{ path: 'commands.2.input.id', message: expect.stringContaining('1.id') as unknown }],
    })
  })

  it.each(['-1.$id', '100.$id', '0.content', '0', '[0].$id', '__proto__'])('takes { "$result": %j } in an id for no reference', async ($result) => {
    const refused = db.batch({ commands: [upsert('a'), { operation: 'update', input: { id: { $result } } }] })

    await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: [{ path: expect.stringMatching(/^commands\.1\.input\.id/) as unknown }] })
  })

  it('leaves alone what merely looks like a reference', async () => {
    const data = { schema: { $ref: '#/definitions/a' }, two: { $result: '0.$id', other: 1 }, number: { $result: 0 }, text: '0.$id' }

    const { results } = await db.batch({ commands: [upsert('a'), { operation: 'upsert', input: { $type: 'Note', data } }] })

    expect(results[1]).toMatchObject({ data })
  })

  it.each<[string, Command[], string, string]>([
    ['a stale version', [upsert('a'), { operation: 'update', input: { id: 'a', ifVersion: 7 } }], 'CONFLICT', 'commands.1.input.ifVersion'],
    ['what is not there', [upsert('a'), { operation: 'delete', input: { id: 'no' } }], 'NOT_FOUND', 'commands.1.input.id'],
    ['an end that is not there', [upsert('a'), { operation: 'relate', input: { from: 'a', predicate: 'p', to: 'b' } }], 'NOT_FOUND', 'commands.1.input.to'],
    ['nothing to restore', [upsert('a'), { operation: 'restore', input: { id: 'a' } }], 'CONFLICT', 'commands.1.input.id'],
    ['a wrong type', [upsert('a'), { operation: 'upsert', input: { $type: '1' } }], 'INVALID', 'commands.1.input.$type'],
  ])('with %s does nothing and names it', async (_name, commands, code, path) => {
    await expect(db.batch({ commands })).rejects.toMatchObject({ code, details: [{ path }] })
    expect(await db.count({})).toEqual({ count: 0 })
    expect(await owned(running.database, 'select count(*) from db.changes')).toEqual([['0']])
  })

  it('remembers its whole answer, relationships included', async () => {
    const commands: Command[] = [
      { operation: 'upsert', input: { $type: 'A' } },
      { operation: 'relate', input: { from: made(0), predicate: 'p', to: made(0) } },
    ]

    const first = await db.batch({ commands }, { idempotencyKey: 'k' })
    const again = await db.batch({ commands }, { idempotencyKey: 'k' })

    expect(again).toEqual(first)
    expect(await db.count({})).toEqual({ count: 1 })
  })

  it('of a hundred commands is one transaction, of a hundred and one it is refused', async () => {
    const commands = Array.from({ length: 101 }, (_, index) => upsert(`note/${index}`))

    await expect(db.batch({ commands })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'commands' }] })
    expect((await db.batch({ commands: commands.slice(1) })).results).toHaveLength(100)
    expect(await owned(running.database, 'select count(distinct xmin::text) from db.things')).toEqual([['1']])
  })
})

describe('writers at the same moment', () => {
  it('who try again after a conflict lose no update', async () => {
    await db.upsert({ $type: 'Counter', $id: 'counter', data: { count: 0 } })
    const increment = async (): Promise<void> => {
      const { data, version } = await db.get({ id: 'counter' })
      try {
        await db.update({ id: 'counter', data: { count: Number(data['count']) + 1 }, ifVersion: version })
      } catch (error) {
        expect(error).toMatchObject({ code: 'CONFLICT' })
        await increment()
      }
    }

    await Promise.all(Array.from({ length: 20 }, increment))

    expect(await db.get({ id: 'counter' })).toMatchObject({ version: 21, data: { count: 20 } })
  })

  it('of batches over the same things in opposite order all come through', async () => {
    const ids = Array.from({ length: 10 }, (_, index) => `thing/${index}`)
    const forwards = Array.from({ length: 10 }, (_, round) => ids.map((id) => upsert(id, `forwards ${round}`)))
    const backwards = Array.from({ length: 10 }, (_, round) => ids.toReversed().map((id) => upsert(id, `backwards ${round}`)))

    await Promise.all([...forwards, ...backwards].map((commands) => db.batch({ commands })))

    const contents = new Set((await db.list({})).items.map(({ content, version }) => `${content} ${version}`))
    expect(contents).toHaveProperty('size', 1)
    expect([...contents][0]).toMatch(/ 20$/)
  })
})

describe('an import', () => {
  const lines = [
    { $type: 'Note', $id: 'a', content: 'x', data: { n: 1 }, visibility: 'public' as const },
    { $type: 'Note', $id: 'b' },
    { from: 'a', predicate: 'likes', to: 'b', data: { how: 'much' } },
  ]

  it('writes things, and relationships between them, and tells how much of it was new', async () => {
    const first = await db.import({ lines })
    const again = await db.import({ lines })
    const changed = await db.import({ lines: [...lines, { $type: 'Page', $id: 'b' }] })

    expect([first, again, changed]).toEqual([
      { things: 2, relationships: 1, changed: 3 },
      { things: 2, relationships: 1, changed: 0 },
      { things: 3, relationships: 1, changed: 1 },
    ])
    expect(await db.get({ id: 'a' })).toMatchObject({ content: 'x', data: { n: 1 }, visibility: 'public', version: 1 })
    expect((await db.relationships({ from: 'a' })).items).toMatchObject([{ to: 'b', data: { how: 'much' } }])
  })

  it('with one line that cannot be written writes none, and names it', async () => {
    const refused = db.import({ lines: [...lines, { from: 'a', predicate: 'likes', to: 'c' }] })

    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND', details: [{ path: 'lines.3.to' }] })
    expect(await db.count({})).toEqual({ count: 0 })
  })

  it('is remembered by its key', async () => {
    const first = await db.import({ lines }, { idempotencyKey: 'import' })

    expect(await db.import({ lines }, { idempotencyKey: 'import' })).toEqual(first)
  })

  it('of a thousand lines is one statement', async () => {
    const ids = Array.from({ length: 32 }, (_, index) => `many/${index}`)
    const pairs = ids.flatMap((from) => ids.map((to) => ({ from, predicate: 'knows', to }))).slice(0, 968)
    const many = [...ids.map(($id) => ({ $type: 'Note', $id })), ...pairs]

    await expect(db.import({ lines: [...many, ...lines.slice(0, 1)] })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'lines' }] })
    expect(await db.import({ lines: many })).toEqual({ things: 32, relationships: 968, changed: 1000 })
    expect(await owned(running.database, 'select count(distinct xmin::text), count(*) from db.changes')).toEqual([['1', '1000']])
  })

  it.each([
    ['no line', [], 'lines'],
    ['a line that is neither', [{ $id: 'a' }], 'lines.0'],
    ['a reference', [{ ...lines[0], $id: { $result: '0.' } }], 'lines.0'],
    ['a namespace of its own', [{ ...lines[0], ns: 'acme' }], 'lines.0'],
  ])('of %s is refused', async (_name, wrong, path) => {
    const refused = db.import({ lines: wrong as never }) // what a caller without types may send

    await expect(refused).rejects.toMatchObject({ code: 'INVALID', details: [{ path: expect.stringMatching(new RegExp(`^${path}`)) as unknown }] })
  })
})

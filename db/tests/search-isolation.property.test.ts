import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { as } from './as.ts'
import { startDb, type DbInProcess } from './in-process.ts'
import { write } from './library.ts'

let running: DbInProcess

beforeAll(async () => {
  running = await startDb(['db'])
})
afterAll(() => running.close())

const word = fc.constantFrom('zebra', 'heron', 'ant', 'grass', 'water', 'ns', 'default', 'acme')
const words = fc.array(word, { minLength: 1, maxLength: 5 }).map((list) => list.join(' '))
const thing = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd/e'), type: fc.constantFrom('Note', 'Page'), title: words, content: words })
const things = fc.uniqueArray(thing, { selector: ({ id }) => id, maxLength: 4 })
const question = fc.record({
  q: fc.oneof(
    words,
    words.map((some) => `"${some}"`),
    words.map((some) => `${some} or ns/acme`),
    words.map((some) => `zebra -${some}`),
  ),
  mode: fc.constantFrom('fullText' as const, 'vector' as const, 'hybrid' as const),
  type: fc.constantFrom(undefined, 'Note'),
  explain: fc.constant(true),
})

it('what is found in one namespace does not depend on what is in another', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(things, things, fc.array(question, { minLength: 1, maxLength: 4 }), async (ours, theirs, questions) => {
      await running.database.reset()
      await write(running, ours, 'acme')
      const ask = () => Promise.all(questions.map(({ type, ...asked }) => as(running, 'acme').search({ ...asked, ...(type !== undefined && { type }) })))

      const before = await ask()
      await write(running, theirs, 'default')
      const after = await ask()

      expect(after).toEqual(before)
      expect(after.flatMap(({ items }) => items.map(({ thing }) => thing.ns)).filter((ns) => ns !== 'acme')).toEqual([])
    }),
    { numRuns: 20 },
  )
})

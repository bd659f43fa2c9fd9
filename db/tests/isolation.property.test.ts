import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { as, type Db } from './as.ts'
import { owned, startDb, type DbInProcess } from './in-process.ts'

let running: DbInProcess

beforeAll(async () => {
  running = await startDb(['db'])
})
afterAll(() => running.close())

type Command = Parameters<Db['batch']>[0]['commands'][number]

const id = fc.constantFrom('a', 'b', 'a/b')
const type = fc.constantFrom('Note', 'Page')
const content = fc.constantFrom('', 'one', 'two')
const data = fc.constantFrom<Record<string, unknown>>({}, { n: 1 }, { n: null }, { n: 2, list: ['x'] })
const ifVersion = fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 4 })
const relationship = fc.record({ from: id, predicate: fc.constantFrom('p', 'q'), to: id })

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ operation: fc.constant('upsert' as const), input: fc.record({ $id: id, $type: type, content, data, ifVersion }) }),
  fc.record({ operation: fc.constant('update' as const), input: fc.record({ id, content, data, ifVersion }) }),
  fc.record({ operation: fc.constant('delete' as const), input: fc.record({ id, ifVersion }) }),
  fc.record({
    operation: fc.constant('restore' as const),
    input: fc.record({ id, version: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }), ifVersion }),
  }),
  fc.record({ operation: fc.constant('relate' as const), input: relationship }),
  fc.record({ operation: fc.constant('unrelate' as const), input: relationship }),
)

/** What a batch of one gave, or the code it was refused with. */
function outcomeOf(db: Db, one: Command): Promise<unknown> {
  return db.batch({ commands: [one] }).then(
    ({ results }) => results[0],
    (refusal: { code: string }) => refusal.code,
  )
}

/** All that can be read of three ids, without the times. */
async function readAll(db: Db): Promise<unknown> {
  const filter = [{ field: 'data.n', op: 'exists' as const, value: true }]
  const reads = [
    db.list({}),
    db.list({ id: '**', filter }),
    db.count({ type: 'Note' }),
    db.stats({}),
    db.types({}),
    db.recent({}),
    db.activity({}),
    ...['a', 'b', 'a/b'].flatMap((name) => [
      db.get({ id: name }),
      db.get({ id: `${name}@1` }),
      db.get({ id: `${name}@9999-01-01` }),
      db.history({ id: name }),
      db.relationships({ from: name, depth: 5 }),
      db.incoming({ to: name, depth: 5 }),
    ]),
  ]
  const settled = await Promise.all(reads.map((read: Promise<unknown>) => read.catch((refusal: { code: string }) => refusal.code)))
  return JSON.parse(JSON.stringify(settled, (key, value: unknown) => (key.endsWith('At') || key === 'at' ? undefined : value))) as unknown
}

const THINGS = ['a', 'b', 'a/b'].map(($id) => ({ $type: 'Note', $id }))

describe('whatever is done in one namespace', () => {
  it('what another reads and is answered never depends on it', async () => {
    const relate = fc.record({ operation: fc.constant('relate' as const), input: relationship })
    const step = fc.record({ by: fc.constantFrom('a', 'b'), command: fc.oneof(command, relate) })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 16 }), async (steps) => {
        const [a, b] = [as(running, 'tenant-a'), as(running, 'tenant-b')]
        await running.database.reset()
        for (const db of [a, b]) await db.import({ lines: THINGS })
        const together: unknown[] = []
        for (const { by, command } of steps) {
          const outcome = await outcomeOf(by === 'a' ? a : b, command)
          if (by === 'b') together.push(withoutTimes(outcome))
        }
        const readTogether = await readAll(b)

        await running.database.reset()
        await b.import({ lines: THINGS })
        const alone: unknown[] = []
        for (const { by, command } of steps) if (by === 'b') alone.push(withoutTimes(await outcomeOf(b, command)))
        const readAlone = await readAll(b)

        expect(together).toEqual(alone)
        expect(readTogether).toEqual(readAlone)
      }),
      { numRuns: 15 },
    )
  }, 60_000)
})

function withoutTimes(outcome: unknown): unknown {
  return typeof outcome === 'object' && outcome !== null ? { ...outcome, createdAt: '', updatedAt: '' } : outcome
}

/** A thing as a model has it: the states by version, null for a deletion. */
type State = { $type: string; content: string; data: Record<string, unknown> } | null

/** What a command does to the states of its thing, said without SQL; the code where it is refused. */
function applied(states: State[], { operation, input }: Command): State[] | string {
  const current = states.at(-1) ?? null
  const version = current ? states.length : 0
  const restored = operation === 'restore' ? input.version : undefined
  const expects = 'ifVersion' in input ? input.ifVersion : undefined
  if (expects !== undefined && expects !== version && !(operation === 'restore' && expects === states.length)) return 'CONFLICT'
  switch (operation) {
    case 'upsert':
      return next(states, { $type: input.$type, content: input.content ?? '', data: input.data ?? {} })
    case 'update':
      return current ? next(states, { ...current, content: input.content ?? current.content, data: merged(current.data, input.data ?? {}) }) : 'NOT_FOUND'
    case 'delete':
      return current ? [...states, null] : 'NOT_FOUND'
    case 'restore': {
      if (states.length === 0) return 'NOT_FOUND'
      if (restored === undefined) return current ? 'CONFLICT' : next(states, states.at(-2) ?? null)
      const former = states[restored - 1]
      return former ? next(states, former) : 'NOT_FOUND'
    }
    default:
      return states
  }
}

function next(states: State[], state: State): State[] {
  return JSON.stringify(sorted(states.at(-1))) === JSON.stringify(sorted(state)) ? states : [...states, state]
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  )
}

function merged(before: Record<string, unknown>, changes: Record<string, unknown>): Record<string, unknown> {
  const all = { ...before, ...changes }
  return Object.fromEntries(Object.entries(all).filter(([key, value]) => value !== null || !(key in changes)))
}

describe('any sequence of upsert, update, delete and restore', () => {
  it('leaves the things and histories that a plain list of states has', async () => {
    const thingCommand = command.filter(({ operation }) => operation !== 'relate' && operation !== 'unrelate')
    await fc.assert(
      fc.asyncProperty(fc.array(thingCommand, { minLength: 1, maxLength: 20 }), async (commands) => {
        await running.database.reset()
        const db = as(running)
        const model = new Map<string, State[]>()
        for (const one of commands) {
          const name = String('$id' in one.input ? one.input.$id : 'id' in one.input ? one.input.id : '')
          const expected = applied(model.get(name) ?? [], one)
          const outcome = await outcomeOf(db, one)
          if (typeof expected === 'string') expect(outcome).toBe(expected)
          else expect(outcome).toMatchObject({ $id: name, version: expected.length })
          if (typeof expected !== 'string') model.set(name, expected)
        }

        for (const [name, states] of model) await expectStates(db, name, states)
        expect(await owned(running.database, 'select count(*) from db.changes')).toEqual([[String([...model.values()].flat().length)]])
      }),
      { numRuns: 30 },
    )
  }, 60_000)
})

async function expectStates(db: Db, name: string, states: State[]): Promise<void> {
  const { items } = await db.history({ id: name, limit: 100 })
  const shown = items.toReversed().map(({ operation, $type, content, data }) => (operation === 'delete' ? null : { $type, content, data }))
  expect(shown).toEqual(states)
  expect(items.map(({ version }) => version)).toEqual(states.map((_, index) => states.length - index))
  for (const [index, state] of states.entries()) {
    const read = await db.get({ id: `${name}@${index + 1}` }).catch((refusal: { code: string }) => refusal.code)
    if (state) expect(read).toMatchObject({ ...state, version: index + 1 })
    else expect(read).toBe('NOT_FOUND')
  }
  const current = await db.get({ id: name }).catch((refusal: { code: string }) => refusal.code)
  if (states.at(-1)) expect(current).toMatchObject({ ...states.at(-1), version: states.length })
  else expect(current).toBe('NOT_FOUND')
}

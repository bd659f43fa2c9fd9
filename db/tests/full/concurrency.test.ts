import { resolve } from 'node:path'
import { postgresEngine } from '@dot-do/worker-data/engines/postgres'
import type { Engine } from '@dot-do/worker-data/engines/engine'
import { migrate } from '@dot-do/worker-data/migrations'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { startStockPostgres, type StockPostgres } from '@dot-do/worker-data/stock-postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { applyCommands, type Command } from '../../src/commands.ts'

const roleSecret = 'the secret of the concurrency suite'
let stock: StockPostgres
let engine: Engine

// The embedded engine runs one statement after another; only a server has writers that really meet.
beforeAll(async () => {
  stock = await startStockPostgres()
  engine = postgresEngine({ url: stock.url, passwordOf: (role) => rolePassword(roleSecret, role), poolSize: 16 })
  await migrate(engine, [{ name: 'db', folder: resolve(import.meta.dirname, '../..') }], { roleSecret })
})
beforeEach(() => engine.script('truncate db.things, db.thing_versions, db.relationships, db.changes, db.ledger'))
afterAll(async () => {
  await engine.close()
  await stock.stop()
})

const upsert = (id: string, content: string): Command => ({ operation: 'upsert', ns: 'a', id, type: 'T', content, data: {}, visibility: 'private', path: '' })
const relate = (from: string, to: string, data = {}): Command => ({
  operation: 'relate',
  ns: 'a',
  id: `rel_${from}_${to}`,
  from,
  predicate: 'p',
  to,
  data,
  path: '',
})

async function apply(...commands: Command[]): Promise<void> {
  await engine.batch('db', [applyCommands(commands, { actor: 'me', at: new Date().toISOString(), answer: 'all' })])
}

async function read(sql: string): Promise<(string | null)[][]> {
  const [result] = await engine.batch('db', [{ sql, params: [] }])
  return result?.rows ?? []
}

/** Keeps a transaction open for a while. */
const BUSY = { sql: 'select count(*) from generate_series(1, 300000)', params: [] }

describe('writers that meet', () => {
  it('in batches over the same things in opposite order all come through', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `thing/${index}`)
    const batches = Array.from({ length: 40 }, (_, round) => (round % 2 === 0 ? ids : ids.toReversed()).map((id) => upsert(id, `round ${round}`)))

    await Promise.all(batches.map((commands) => apply(...commands)))

    expect(await read('select count(distinct content), min(version), max(version) from db.things')).toEqual([['1', '40', '40']])
  })

  it('over relationships in both directions, and over more things than are locked one by one, all come through', async () => {
    const ids = Array.from({ length: 300 }, (_, index) => `n/${index}`)
    await apply(...ids.map((id) => upsert(id, '')))
    const circle = ids.map((id, index) => [id, ids[(index + 1) % ids.length] ?? id] as const)

    await Promise.all([
      ...Array.from({ length: 4 }, (_, round) => apply(...circle.map(([from, to]) => relate(from, to, { round })))),
      ...circle.slice(0, 30).map(([from, to]) => apply(relate(to, from), relate(from, to, { alone: true }))),
      ...ids.slice(0, 30).map((id) => apply(upsert(id, 'changed'))),
    ])

    expect(await read('select count(*) from db.relationships')).toEqual([['330']])
    expect(await read(`select count(*) from db.things where content = 'changed'`)).toEqual([['30']])
  })

  it('leave changes whose positions are in the order of their versions, without a repeat', async () => {
    await Promise.all(Array.from({ length: 200 }, (_, index) => apply(upsert(`thing/${index % 5}`, `${index}`))))

    const rows = await read(
      'select id, array_agg(version order by position) = array_agg(version order by version), count(*) from db.changes group by id order by id',
    )

    expect(rows).toEqual(Array.from({ length: 5 }, (_, index) => [`thing/${index}`, 't', '40']))
  })

  it('never show a later change before an earlier one', async () => {
    let isWriting = true
    const seen: number[] = []
    const watch = async (): Promise<void> => {
      while (isWriting) {
        const [[latest, count] = []] = await read('select coalesce(max(position), 0), count(*) from db.changes')
        const [[countThen] = []] = await read(`select count(*) from db.changes where position <= ${latest}`)
        expect(countThen).toBe(count)
        seen.push(Number(count))
      }
    }
    const watching = watch()

    // Some go on working between their change and their commit, while others come and go.
    const slowly = (index: number) =>
      engine.batch('db', [applyCommands([upsert(`slow/${index}`, '')], { actor: 'me', at: new Date().toISOString(), answer: 'all' }), BUSY])
    await Promise.all(Array.from({ length: 200 }, (_, index) => (index % 20 === 0 ? slowly(index) : apply(upsert(`thing/${index}`, '')))))
    isWriting = false
    await watching

    expect(await read('select count(*) from db.changes')).toEqual([['200']])
    expect(seen.length).toBeGreaterThan(0)
  })
})

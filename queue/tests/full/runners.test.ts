import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../../packages/data/src/engines/engine.ts'
import { postgresEngine } from '../../../packages/data/src/engines/postgres.ts'
import { enqueueStatement } from '../../../packages/data/src/jobs.ts'
import { migrate } from '../../../packages/data/src/migrations.ts'
import { eventually } from '../../../tests/eventually.ts'
import { rolePassword } from '../../../packages/data/src/role-password.ts'
import { startStockPostgres, type StockPostgres } from '../../../packages/data/src/stock-postgres.ts'

const SECRET = 'the role secret of tests'
const AT = '2030-01-01T00:00:00.000Z'
const UNTIL = '2030-01-01T00:01:00.000Z'
const RUNNERS = 8
const JOBS = 1_500
const GROUPS = 12
/** How many of these groups may run at once: one of every second, two of the others. */
const placesOf = (group: string) => 1 + (Number(group) % 2)

let stock: StockPostgres
let engine: Engine

beforeAll(async () => {
  stock = await startStockPostgres()
  engine = postgresEngine({ url: stock.url, passwordOf: (role) => rolePassword(SECRET, role), poolSize: RUNNERS })
  await migrate(engine, [{ name: 'queue', folder: resolve(import.meta.dirname, '../..') }], { roleSecret: SECRET })
})
afterAll(async () => {
  await engine.close()
  await stock.stop()
})

interface Claimed {
  id: string
  group_name: string | null
  sequence: number
}

interface Turn {
  claimed: Claimed[]
  next: { id: string }[]
}

/** What happened, in order: which job began and which ended. */
const begun: Claimed[] = []
const running = new Map<string, number>()
let mostRunning: Record<string, number> = {}

async function turn(runner: string, ended: string[], asked: string[]): Promise<Turn> {
  const outcomes = JSON.stringify(ended.map((id) => ({ id, state: 'completed', result: {} })))
  const params = [outcomes, `{${asked.join(',')}}`, runner, AT, UNTIL]
  const [result] = await engine.batch('queue', [{ sql: 'select queue.turn($1::jsonb, $2::text[], $3, $4::timestamptz, $5::timestamptz)', params }])
  return JSON.parse(result?.rows[0]?.[0] ?? '{}') as Turn // as migrations/0002_running.sql has it
}

function note({ claimed }: Turn): void {
  for (const job of claimed) {
    begun.push(job)
    const group = job.group_name
    if (group === null) continue
    const now = (running.get(group) ?? 0) + 1
    running.set(group, now)
    mostRunning = { ...mostRunning, [group]: Math.max(mostRunning[group] ?? 0, now) }
  }
}

/** A runner that asks for its share, in no order, and for whatever follows. */
async function run(name: string, hints: string[]): Promise<void> {
  let ended: Claimed[] = []
  const waiting = hints.toSorted((a, b) => a.slice(-6).localeCompare(b.slice(-6)))
  while (waiting.length + ended.length > 0) {
    // It counts as ended before anybody can hear that it did.
    for (const { group_name: group } of ended) if (group !== null) running.set(group, (running.get(group) ?? 0) - 1)
    const answer = await turn(
      name,
      ended.map(({ id }) => id),
      waiting.splice(0, 20),
    )
    note(answer)
    waiting.push(...answer.next.map(({ id }) => id))
    ended = answer.claimed
  }
}

describe('many runners on a server, each hinted at the same jobs', () => {
  it('do each job once, keep the order of groups and their places, and leave nothing behind', async () => {
    const jobs = Array.from({ length: JOBS }, (_, index) => {
      const group = index % 3 === 0 ? undefined : String(index % GROUPS)
      return { type: 'db.upsert', ...(group === undefined ? {} : { group, groupConcurrency: placesOf(group) }) }
    })
    const { statement, ids } = enqueueStatement(jobs, AT)
    await engine.batch('queue', [statement])

    await Promise.all(Array.from({ length: RUNNERS }, (_, runner) => run(`runner ${runner}`, ids)))

    const [left] = await engine.batch('queue', [{ sql: `select state, count(*), max(attempts) from queue.jobs group by state`, params: [] }])
    expect(left?.rows).toEqual([['completed', String(JOBS), '1']])
    expect(new Set(begun.map(({ id }) => id)).size).toBe(JOBS)
    expect(begun).toHaveLength(JOBS)
    for (const [group, most] of Object.entries(mostRunning)) {
      expect(most).toBeLessThanOrEqual(placesOf(group))
      if (placesOf(group) > 1) continue
      const order = begun.filter(({ group_name }) => group_name === group).map(({ sequence }) => sequence)
      expect(order).toEqual(order.toSorted((a, b) => a - b))
    }
  }, 120_000)

  it('give a job to one of them, though all ask for it in the same moment', async () => {
    const { statement, ids } = enqueueStatement(
      Array.from({ length: 400 }, () => ({ type: 'db.upsert' })),
      AT,
    )
    await engine.batch('queue', [statement])

    const turns = await Promise.all(Array.from({ length: RUNNERS }, (_, runner) => turn(`runner ${runner}`, [], ids)))

    const claimed = turns.flatMap((answer) => answer.claimed.map(({ id }) => id))
    expect(claimed).toHaveLength(ids.length)
    expect(new Set(claimed).size).toBe(ids.length)
  })

  it('do not miss one another: who asks whether a job may begin waits for whoever just ends the one before it', async () => {
    const { statement, ids } = enqueueStatement(
      [1, 2].map(() => ({ type: 'db.upsert', group: 'two' })),
      AT,
    )
    await engine.batch('queue', [statement])
    const [first = '', second = ''] = ids
    await turn('one', [], [first])
    const settled = JSON.stringify([{ id: first, state: 'completed' }])

    // It commits once somebody waits for the lock that it has.
    const ending = engine.script(`select queue.turn('${settled}', '{}', 'one', '${AT}', '${UNTIL}'); do $$ begin
      for look in 1..200 loop exit when exists (select from pg_locks where locktype = 'advisory' and not granted); perform pg_sleep(0.05); end loop;
    end $$`)
    await eventually(async () =>
      expect((await engine.batch(null, [{ sql: `select from pg_locks where locktype = 'advisory' and granted`, params: [] }]))[0]?.rows).toHaveLength(1),
    )
    const asked = turn('other', [], [second])
    await ending

    expect((await asked).claimed.map(({ id }) => id)).toEqual([second])
  })
})

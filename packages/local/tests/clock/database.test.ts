import { expect, it, onTestFinished, vi } from 'vitest'
import { startEmbeddedProcess } from '../../src/database/embedded-process.ts'
import { connect, roleSecret, state } from '../database/services.ts'

const START = Date.parse('2027-03-14T05:00:00Z')

async function databaseAt(now: number | undefined) {
  const files = await state()
  onTestFinished(files.remove)
  const database = await startEmbeddedProcess({ dir: files.dir, roleSecret, services: files.services, queryLimitMs: 10_000, now, onLog: () => {} })
  onTestFinished(database.close)
  const sql = await connect(`http://127.0.0.1:${database.port}`, 'notes')
  const told = async () => {
    const [row] = await sql`select now() as transaction, clock_timestamp() as clock, current_date::text as day`
    return row as { transaction: Date; clock: Date; day: string }
  }
  return { database, told }
}

it('has the time of the clock that is turned, forward and back', async () => {
  const { database, told } = await databaseAt(START)

  const first = await told()
  await database.turn(START + 86_400_000)
  const tomorrow = await told()
  await database.turn(START - 1)
  const back = await told()

  expect([first, tomorrow, back]).toEqual([
    { transaction: new Date(START), clock: new Date(START), day: '2027-03-14' },
    { transaction: new Date(START + 86_400_000), clock: new Date(START + 86_400_000), day: '2027-03-15' },
    { transaction: new Date(START - 1), clock: new Date(START - 1), day: '2027-03-14' },
  ])
})

it('has it again when its process had to be opened again', async () => {
  const { database, told } = await databaseAt(START)
  await database.turn(START + 5_000)
  const pid = database.pid() ?? 0

  process.kill(pid, 'SIGKILL')

  await vi.waitFor(async () => expect((await told()).clock).toEqual(new Date(START + 5_000)), { timeout: 20_000, interval: 100 })
  expect(database.pid()).not.toBe(pid)
})

it('has the machine’s time unless told', async () => {
  const { told } = await databaseAt(undefined)

  const before = Date.now()
  const { clock } = await told()

  expect(clock.getTime()).toBeGreaterThanOrEqual(before - 1)
  expect(clock.getTime()).toBeLessThanOrEqual(Date.now() + 1)
})

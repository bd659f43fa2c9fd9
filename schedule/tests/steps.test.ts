import { generateId } from '@dot-do/worker-utils'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { takeStep } from '../src/executing.ts'
import { planOf } from '../src/plan.ts'
import type { TaskRow } from '../src/tables.ts'
import { startSchedule, type ScheduleInProcess } from './in-process.ts'
import { complete, MINUTE, START, states, stepAt, task } from './steps.ts'

let schedule: ScheduleInProcess

beforeAll(async () => {
  schedule = await startSchedule()
  return () => schedule.db.close()
})

beforeEach(() => schedule.db.database.reset())

describe('a step of a clock', () => {
  it('begins what is due, once, however many clocks there are', async () => {
    const row = await task(schedule)

    const both = await Promise.all([stepAt(schedule, { row: { ...row }, now: START + MINUTE }), stepAt(schedule, { row: { ...row }, now: START + MINUTE })])

    expect(both.flatMap(({ begun }) => begun)).toHaveLength(1)
    expect(await states(schedule)).toEqual(['running'])
  })

  it('tells whose authority an attempt has, and when to look again', async () => {
    const row = await task(schedule)

    const { begun, wakeAt } = await stepAt(schedule, { row, now: START + MINUTE + 20 })

    expect(begun).toMatchObject([{ attempt: 1, trigger: 'schedule', principal: { id: 'key_test', kind: 'key', tenant: 'default' }, arguments: null }])
    expect(wakeAt).toBe(new Date(START + MINUTE + 20 + 300_000).toISOString())
  })

  it('does nothing with a row it does not know', async () => {
    const row = await task(schedule)
    await owned(schedule.db.database, 'update schedule.tasks set version = 2')

    const plan = planOf(row, START + MINUTE)
    const stale = await takeStep(row, { plan, now: START + MINUTE, mine: [] }, schedule.call)
    const gone = await takeStep({ ...row, id: generateId('task') }, { plan, now: START + MINUTE, mine: [] }, schedule.call)

    expect([stale, gone, ...(await states(schedule))]).toEqual(['stale', 'gone'])
  })

  it('begins nothing twice after the clock jumped back an hour, and the next time when it comes', async () => {
    const row = await task(schedule)
    await complete(schedule, (await stepAt(schedule, { row, now: START + MINUTE })).begun[0])

    const back = await stepAt(schedule, { row, now: START - 60 * MINUTE })
    const again = await stepAt(schedule, { row, now: START + MINUTE })
    const next = await stepAt(schedule, { row, now: START + 2 * MINUTE })

    expect([back.begun, again.begun]).toEqual([[], []])
    expect(next.begun).toHaveLength(1)
  })

  it('makes up for each time of an outage within the window, one after another, and notes older ones as missed', async () => {
    const row = await task(schedule, { catchUpSeconds: 150, overlap: 'buffer' })

    const first = await stepAt(schedule, { row, now: START + 5 * MINUTE })
    await complete(schedule, first.begun[0])
    const second = await stepAt(schedule, { row, now: START + 5 * MINUTE })
    await complete(schedule, second.begun[0])
    const third = await stepAt(schedule, { row, now: START + 5 * MINUTE })

    expect([first, second, third].map(({ begun }) => begun.map(({ trigger, scheduledFor }) => [trigger, Date.parse(scheduledFor) - START]))).toEqual([
      [['catch-up', 3 * MINUTE]],
      [['catch-up', 4 * MINUTE]],
      [['schedule', 5 * MINUTE]],
    ])
    expect(await states(schedule)).toEqual(['missed', 'missed', 'completed', 'completed', 'running'])
  })

  it('begins nothing twice for a clock that knows less than the row, also when the history is gone', async () => {
    const row = await task(schedule)
    await complete(schedule, (await stepAt(schedule, { row: { ...row }, now: START + MINUTE })).begun[0])
    await owned(schedule.db.database, 'delete from schedule.executions')

    const { begun, settledUntil } = await stepAt(schedule, { row, now: START + MINUTE })

    expect([begun, settledUntil]).toEqual([[], new Date(START + MINUTE).toISOString()])
  })

  it('leaves out none of the times that are made up for, also where others are left out while the task runs', async () => {
    const row = await task(schedule, { overlap: 'skip' })

    const first = await stepAt(schedule, { row, now: START + 2.8 * MINUTE })
    await complete(schedule, first.begun[0])
    const second = await stepAt(schedule, { row, now: START + 2.8 * MINUTE })

    expect([first, second].map(({ begun }) => begun.map(({ scheduledFor }) => Date.parse(scheduledFor) - START))).toEqual([[MINUTE], [2 * MINUTE]])
  })

  it('begins later by the jitter, not before', async () => {
    const row = await task(schedule, { jitterSeconds: 30 })

    const noted = await stepAt(schedule, { row, now: START + MINUTE })
    const begun = await stepAt(schedule, { row, now: Date.parse(noted.wakeAt ?? '') })

    expect(noted.begun).toEqual([])
    expect(Date.parse(noted.wakeAt ?? '') - START - MINUTE).toBeGreaterThan(0)
    expect(begun.begun).toHaveLength(1)
  })

  it('runs an attempt again that nobody runs any more', async () => {
    const row = await task(schedule)
    const [begun] = (await stepAt(schedule, { row, now: START + MINUTE })).begun

    const known = await stepAt(schedule, { row, now: START + MINUTE + 1000, mine: [begun?.id ?? ''] })
    const lost = await stepAt(schedule, { row, now: START + MINUTE + 2000 })

    expect(known.resumed).toEqual([])
    expect(lost.resumed).toMatchObject([{ id: begun?.id, attempt: 1 }])
  })
})

describe('a time that comes while the task still runs', () => {
  const begunOf = async (overlap: TaskRow['overlap']) => {
    const row = await task(schedule, { overlap })
    await stepAt(schedule, { row, now: START + MINUTE })
    await stepAt(schedule, { row, now: START + 2 * MINUTE })
    await stepAt(schedule, { row, now: START + 3 * MINUTE })
    return states(schedule)
  }

  it.each([
    ['skip', ['running', 'skipped', 'skipped']],
    ['buffer', ['running', 'waiting', 'skipped']],
    ['allow', ['running', 'running', 'running']],
  ] as const)('is dealt with by overlap %s', async (overlap, expected) => {
    expect(await begunOf(overlap)).toEqual(expected)
  })

  it('begins after the one before, where it was kept', async () => {
    const row = await task(schedule, { overlap: 'buffer' })
    const [first] = (await stepAt(schedule, { row, now: START + MINUTE })).begun
    const blocked = await stepAt(schedule, { row, now: START + 2 * MINUTE })

    const { waiting } = await complete(schedule, first)
    const next = await stepAt(schedule, { row, now: START + 2 * MINUTE + 5000 })

    expect(blocked.begun).toEqual([])
    expect(waiting).toBe(true)
    expect(next.begun).toMatchObject([{ scheduledFor: new Date(START + 2 * MINUTE).toISOString() }])
  })
})

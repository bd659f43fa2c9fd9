import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { auditClocks, lookAhead, repairClocks } from '../src/repairs.ts'
import { scheduled } from '../src/scheduled.ts'
import type { TaskRow } from '../src/tables.ts'
import { startSchedule, type ScheduleInProcess } from './in-process.ts'
import { MINUTE, START, stepAt, task } from './steps.ts'

const HOUR = 60 * MINUTE

let schedule: ScheduleInProcess

beforeAll(async () => {
  schedule = await startSchedule()
  return () => schedule.db.close()
})

beforeEach(async () => {
  await schedule.db.database.reset()
  // Those that come with the platform have clocks, too.
  await owned(schedule.db.database, `delete from schedule.tasks`)
  schedule.woken.length = 0
})

const iso = (time: number) => new Date(time).toISOString()

/** A task whose clock is set for a time. */
function armed(name: string, next: number, about: Partial<TaskRow> = {}) {
  return task(schedule, { name, armedVersion: 1, nextRunAt: iso(next), ...about })
}

describe('the cron that repairs clocks', () => {
  it('wakes those that never were set, go by an old version, or should have rung, and no others', async () => {
    const now = START + HOUR
    const never = await task(schedule, { name: 'never', nextRunAt: iso(now + HOUR) })
    const drifted = await armed('drifted', now + HOUR, { version: 2 })
    const silent = await armed('silent', now - 2 * MINUTE)
    await armed('due', now - 1000)
    await armed('fine', now + HOUR)
    await armed('paused', now - HOUR, { enabled: false })

    const woken = await repairClocks(schedule.call, now)

    expect(woken).toBe(3)
    expect(schedule.woken.toSorted()).toEqual([never.id, drifted.id, silent.id].toSorted())
  })

  it('wakes those whose executions nobody looks after', async () => {
    const row = await task(schedule, { timeoutSeconds: 60 })
    await stepAt(schedule, { row, now: START + MINUTE })
    await owned(schedule.db.database, `update schedule.tasks set next_run_at = null`)

    const early = await repairClocks(schedule.call, START + 2 * MINUTE)
    const late = await repairClocks(schedule.call, START + 4 * MINUTE)

    expect([early, late]).toEqual([0, 1])
  })
})

describe('the crons that look ahead', () => {
  it('wake in time what will ring within an hour, and once a week what waits for long, unless it was looked at lately', async () => {
    const now = START + 8 * 24 * HOUR
    const soon = await armed('soon', now + HOUR / 2)
    await armed('lively', now + HOUR / 2, { settledUntil: iso(now - MINUTE) })
    const yearly = await armed('yearly', now + 100 * HOUR)
    await armed('new', now + 100 * HOUR, { settledUntil: iso(now - HOUR) })

    await lookAhead(schedule.call, now)
    expect(schedule.woken).toEqual([soon.id])
    await auditClocks(schedule.call, now)

    expect(schedule.woken).toEqual([soon.id, yearly.id])
  })
})

describe('a cron', () => {
  it.each(['*/5 * * * *', '0 * * * *', '0 0 * * *', '0 0 * * SUN'])('%s does not fail when the database is away', async (cron) => {
    await schedule.db.duringOutage(() => scheduled({ cron }, schedule.env, { waitUntil: () => {} }))

    expect(schedule.woken).toEqual([])
  })

  it('finds a task that nobody woke', async () => {
    const row = await armed('silent', START + MINUTE)

    await scheduled({ cron: '*/5 * * * *' }, schedule.env, { waitUntil: () => {} })

    expect(schedule.woken).toEqual([row.id])
  })
})

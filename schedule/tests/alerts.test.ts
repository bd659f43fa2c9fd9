import { generateId } from '@dot-do/worker-utils'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkMissedTasks } from '../src/alerts.ts'
import { startSchedule, type ScheduleInProcess } from './in-process.ts'

let running: ScheduleInProcess

beforeAll(async () => {
  running = await startSchedule()
})
beforeEach(async () => {
  await running.db.database.reset()
  // Those that come with the platform have times of their own.
  await sql('delete from schedule.tasks')
})
afterAll(() => running.db.close())

const at = (time: string): number => Date.parse(`2026-11-21T${time}Z`)
const check = (time: string): Promise<void> => checkMissedTasks(running.call, at(time))

async function sql(text: string): Promise<(string | null)[][]> {
  const [result] = await running.db.database.engine.batch(null, [{ sql: text, params: [] }])
  return result?.rows ?? []
}

/** A task of every hour that was made at midnight. */
async function hourlyTask(about: Partial<Record<'ns' | 'changed' | 'alert' | 'timing' | 'enabled', string>> = {}): Promise<string> {
  const { ns = 'default', changed = '00:00:00', alert = '600', timing = '{"cron": "@hourly", "timezone": "UTC"}', enabled = 'true' } = about
  const id = generateId('task')
  await sql(`insert into schedule.tasks (id, ns, name, description, timing, target, overlap, catch_up_seconds, jitter_seconds, retries, retry_after_seconds, timeout_seconds,
      alert_after_seconds, enabled, principal_id, principal_kind, principal_tenant, version, settled_until, created_by, created_at, updated_at)
    values ('${id}', '${ns}', 'name-of-${id.slice(-8)}', '', '${timing}', '{}', 'skip', 0, 0, 0, 1, 60, ${alert}, ${enabled}, 'k', 'key', '${ns}', 1,
      '2026-11-21T${changed}Z', 'k', '2026-11-21T${changed}Z', '2026-11-21T${changed}Z')`)
  return id
}

async function execution(task: string, scheduledFor: string, state: string, trigger = 'schedule'): Promise<void> {
  await sql(`insert into schedule.executions (id, task_id, ns, task_name, trigger, state, scheduled_for)
    values ('${generateId('exec')}', '${task}', 'default', 'n', '${trigger}', '${state}', '2026-11-21T${scheduledFor}Z')`)
}

const reader = (tenant = 'default') => running.as('reader', ['tasks:read'], tenant)
const openOf = async (tenant?: string) => (await reader(tenant).listAlerts({ open: true })).items

describe('a task that somebody watches', () => {
  it('has an alert once its time is so long past as it may be, and not before', async () => {
    const task = await hourlyTask()

    await check('01:09:59')
    const before = await openOf()
    await check('01:10:00')

    expect(before).toEqual([])
    expect(await openOf()).toEqual([
      {
        id: expect.stringMatching(/^alert_/),
        ns: 'default',
        kind: 'task-missed',
        subject: task,
        message: `name-of-${task.slice(-8)} was due at 2026-11-21T01:00:00.000Z and has not completed since`,
        openedAt: '2026-11-21T01:10:00.000Z',
        seenAt: '2026-11-21T01:10:00.000Z',
        closedAt: null,
      },
    ])
  })

  it('has one alert for as long as it is so, and it is told when that was last seen', async () => {
    await hourlyTask()

    for (const time of ['01:15:00', '01:20:00', '02:30:00']) await check(time)

    expect(await openOf()).toMatchObject([
      { openedAt: '2026-11-21T01:15:00.000Z', seenAt: '2026-11-21T02:30:00.000Z', message: expect.stringContaining('02:00:00.000Z') },
    ])
  })

  it.each(['failed', 'timed-out', 'skipped', 'missed', 'cancelled', 'running', 'waiting'])(
    'has an alert also when an execution is there that is %s',
    async (state) => {
      const task = await hourlyTask()
      await execution(task, '01:00:00', state)

      await check('01:15:00')

      expect(await openOf()).toMatchObject([{ subject: task }])
    },
  )

  it.each([
    ['for that time', '01:00:00', 'schedule'],
    ['since, by hand', '01:07:30', 'manual'],
  ])('has no alert, and none any more, when it has completed %s', async (_when, scheduledFor, trigger) => {
    const task = await hourlyTask()
    const other = await hourlyTask()
    await check('01:15:00')
    await execution(task, scheduledFor, 'completed', trigger)

    await check('01:20:00')

    expect(await openOf()).toMatchObject([{ subject: other }])
    expect((await reader().listAlerts({ open: false })).items).toMatchObject([{ subject: task, closedAt: '2026-11-21T01:20:00.000Z' }])
  })

  it('has another alert the next time, beside the one that is closed', async () => {
    const task = await hourlyTask()
    await check('01:15:00')
    await execution(task, '01:00:00', 'completed')
    await check('01:20:00')

    await check('02:15:00')

    const { items } = await reader().listAlerts({})
    expect(items.map(({ openedAt, closedAt }) => [openedAt, closedAt])).toEqual([
      ['2026-11-21T02:15:00.000Z', null],
      ['2026-11-21T01:15:00.000Z', '2026-11-21T01:20:00.000Z'],
    ])
  })

  it('is asked for no time before it was made or last changed', async () => {
    await hourlyTask({ changed: '01:00:01' })

    await check('01:59:00')

    expect(await openOf()).toEqual([])
  })

  it.each([
    ['is paused', 'update schedule.tasks set enabled = false'],
    ['is deleted', `update schedule.tasks set deleted_at = now(), enabled = false`],
    ['is gone', 'delete from schedule.tasks'],
    ['is watched no longer', 'update schedule.tasks set alert_after_seconds = null'],
  ])('has no alert any more when it %s', async (_what, change) => {
    await hourlyTask()
    await check('01:15:00')
    await sql(change)

    await check('01:20:00')

    expect(await openOf()).toEqual([])
  })

  it.each([
    ['an interval', '{"everySeconds": 3600, "anchor": "2026-11-21T00:00:00Z"}', '01:10:00'],
    ['one time', '{"at": "2026-11-21T03:00:00.000Z"}', '03:10:00'],
  ])('may have %s', async (_what, timing, time) => {
    const task = await hourlyTask({ timing })

    await check('00:59:59')
    const before = await openOf()
    await check(time)

    expect(before).toEqual([])
    expect(await openOf()).toMatchObject([{ subject: task }])
  })

  it('is one of any number', async () => {
    await sql(`insert into schedule.tasks (id, ns, name, description, timing, target, overlap, catch_up_seconds, jitter_seconds, retries, retry_after_seconds, timeout_seconds,
        alert_after_seconds, enabled, principal_id, principal_kind, principal_tenant, version, settled_until, created_by, created_at, updated_at)
      select 'task_' || n, 'default', 't' || n, '', '{"cron": "@hourly", "timezone": "UTC"}', '{}', 'skip', 0, 0, 0, 1, 60, 600, true, 'k', 'key', 'default', 1, now(), 'k',
        '2026-11-21T00:00:00Z', '2026-11-21T00:00:00Z' from generate_series(1, 2500) n`)

    await check('01:15:00')

    expect(await sql('select count(*) from schedule.alerts where closed_at is null')).toEqual([['2500']])
  })
})

describe('alerts', () => {
  it('are their namespace’s: another’s are not there', async () => {
    const task = await hourlyTask({ ns: 'acme' })
    await check('01:15:00')

    expect(await openOf()).toEqual([])
    expect(await openOf('acme')).toMatchObject([{ subject: task, ns: 'acme' }])
    await expect(reader().listAlerts({ ns: 'acme' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await running.as('admin', ['*']).listAlerts({ ns: 'acme' })).items).toMatchObject([{ subject: task }])
  })

  it('come in pages, newest first, none twice', async () => {
    for (const hour of ['01', '02', '03']) {
      await hourlyTask()
      await hourlyTask()
      await check(`${hour}:15:00`)
    }

    const seen: string[] = []
    for (let cursor: string | undefined; ;) {
      const page = await reader().listAlerts({ limit: 4, ...(cursor !== undefined && { cursor }) })
      seen.push(...page.items.map(({ openedAt }) => openedAt.slice(11, 13)))
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }

    expect(seen).toEqual(['03', '03', '02', '02', '01', '01'])
    expect((await reader().listAlerts({ kind: 'rate-limited' })).items).toEqual([])
    await expect(reader().listAlerts({ cursor: 'bm90aGluZw' })).rejects.toMatchObject({ code: 'INVALID' })
  })
})

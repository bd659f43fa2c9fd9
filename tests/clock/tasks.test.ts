import { beforeAll, expect, it } from 'vitest'
import { platformAt, type PlatformInTime } from './platform.ts'

let inTime: PlatformInTime

beforeAll(async () => {
  inTime = await platformAt('2027-03-14T00:00:00Z')
  return inTime.end
})

/** Makes a task that writes a thing. */
async function makeTask(name: string, timing: object): Promise<void> {
  const target = { kind: 'operation', operation: 'db.upsert', input: { $type: 'Note', $id: name } }
  const { status, text } = await inTime.ask('/schedule/tasks', { body: { name, timing, target } })
  if (status !== 201) throw new Error(`No task: ${text}`)
}

/** The times that tasks ran for, in the order in which they began, and when that was. Then the tasks are no more. */
async function runsOf(...tasks: string[]): Promise<string[]> {
  const { data } = await inTime.ask('/schedule/executions?limit=100')
  const items = data['items'] as unknown as { taskName: string; scheduledFor: string; startedAt: string; state: string }[]
  for (const task of tasks) await inTime.ask(`/schedule/tasks/${task}`, { method: 'DELETE' })
  return items
    .filter(({ taskName }) => tasks.includes(taskName))
    .reverse()
    .map(({ taskName, scheduledFor, startedAt, state }) => `${scheduledFor} ${taskName} ${state}${startedAt === scheduledFor ? '' : `, begun ${startedAt}`}`)
}

it('tasks run at all their times while New York’s clocks go forward, in order, each to the millisecond', async () => {
  await inTime.clock.jump('2027-03-14T06:00:00Z')
  await makeTask('hourly', { cron: '15 * * * *', timezone: 'America/New_York' })
  await makeTask('daily', { cron: '30 2 * * *', timezone: 'America/New_York' }) // there is no half past two that day
  await makeTask('interval', { everySeconds: 2_400, anchor: '2027-03-14T06:00:00Z' })

  await inTime.clock.advance('2027-03-14T08:20:00Z')

  expect(await runsOf('hourly', 'daily', 'interval')).toEqual([
    '2027-03-14T06:15:00.000Z hourly completed',
    '2027-03-14T06:40:00.000Z interval completed',
    '2027-03-14T07:00:00.000Z daily completed',
    '2027-03-14T07:15:00.000Z hourly completed',
    '2027-03-14T07:20:00.000Z interval completed',
    '2027-03-14T08:00:00.000Z interval completed',
    '2027-03-14T08:15:00.000Z hourly completed',
  ])
})

it('a task runs once, half an hour later by its own clock, when Lord Howe’s go forward by that much', async () => {
  await inTime.clock.jump('2027-10-02T15:00:00Z')
  await makeTask('daily', { cron: '15 2 * * *', timezone: 'Australia/Lord_Howe' })

  await inTime.clock.advance('2027-10-02T16:30:00Z')

  expect(await runsOf('daily')).toEqual(['2027-10-02T15:30:00.000Z daily completed'])
})

it('a task runs once in the hour that comes twice when New York’s clocks go back', async () => {
  await inTime.clock.jump('2027-11-07T05:00:00Z')
  await makeTask('daily', { cron: '30 1 * * *', timezone: 'America/New_York' })

  await inTime.clock.advance('2027-11-07T07:00:00Z')

  expect(await runsOf('daily')).toEqual(['2027-11-07T05:30:00.000Z daily completed'])
})

it('a task of which a machine slept through some times makes up for those in its window, and notes the others as missed', async () => {
  await inTime.clock.jump('2027-11-08T00:00:00Z')
  const target = { kind: 'operation', operation: 'db.upsert', input: { $type: 'Note', $id: 'slept' } }
  await inTime.ask('/schedule/tasks', { body: { name: 'slept', timing: { cron: '0 * * * *' }, catchUpSeconds: 5_400, overlap: 'allow', target } })

  await inTime.clock.jump('2027-11-08T04:00:00.500Z')
  await inTime.clock.advance(60_000)

  expect((await runsOf('slept')).sort()).toEqual([
    '2027-11-08T01:00:00.000Z slept missed, begun null',
    '2027-11-08T02:00:00.000Z slept missed, begun null',
    '2027-11-08T03:00:00.000Z slept completed, begun 2027-11-08T04:00:00.500Z',
    '2027-11-08T04:00:00.000Z slept completed, begun 2027-11-08T04:00:00.500Z',
  ])
})

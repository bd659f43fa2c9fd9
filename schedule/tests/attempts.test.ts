import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { settle } from '../src/executing.ts'
import type { TaskRow } from '../src/tables.ts'
import { startSchedule, type ScheduleInProcess } from './in-process.ts'
import { MINUTE, START, states, stepAt, task } from './steps.ts'

let schedule: ScheduleInProcess

beforeAll(async () => {
  schedule = await startSchedule()
  return () => schedule.db.close()
})

beforeEach(() => schedule.db.database.reset())

describe('an attempt that failed', () => {
  const failure = { state: 'failed', error: { code: 'UPSTREAM', message: 'down' } } as const

  it('is followed by others after growing waits, as many as the task has retries, with every error kept', async () => {
    const row = await task(schedule, { retries: 2, retryAfterSeconds: 10 })
    const now = Date.now()
    await stepAt(schedule, { row, now: START + MINUTE })

    const waits: number[] = []
    for (let attempt = 1; attempt <= 3; attempt++) {
      const [[execution] = []] = await owned(schedule.db.database, 'select id from schedule.executions')
      await settle({ execution: String(execution), attempt }, failure, schedule.call)
      const { wakeAt } = await stepAt(schedule, { row: { ...row, enabled: false }, now: START + MINUTE })
      if (wakeAt === null) break
      waits.push(Math.round((Date.parse(wakeAt) - now) / 10_000))
      expect((await stepAt(schedule, { row: { ...row, enabled: false }, now: Date.parse(wakeAt) })).begun).toMatchObject([{ attempt: attempt + 1 }])
    }

    const [[log, error] = []] = await owned(schedule.db.database, 'select log, error from schedule.executions')
    expect(waits).toEqual([1, 2])
    expect(await states(schedule)).toEqual(['failed'])
    expect(String(log).match(/failed: UPSTREAM down/g)).toHaveLength(3)
    expect(JSON.parse(String(error))).toEqual(failure.error)
  })

  it('is the last where another would end alike', async () => {
    const row = await task(schedule, { retries: 3 })
    const [begun] = (await stepAt(schedule, { row, now: START + MINUTE })).begun

    await settle({ execution: begun?.id ?? '', attempt: 1 }, { ...failure, final: true }, schedule.call)

    expect(await states(schedule)).toEqual(['failed'])
  })

  it('cannot be told twice, nor by an attempt before', async () => {
    const row = await task(schedule, { retries: 1 })
    const [begun] = (await stepAt(schedule, { row, now: START + MINUTE })).begun
    const told = (attempt: number) => settle({ execution: begun?.id ?? '', attempt }, failure, schedule.call)

    const once = await told(1)
    const twice = await told(1)
    await stepAt(schedule, { row, now: Date.now() + 3_600_000 })
    const late = await told(1)

    expect([once, twice, late].map(({ settled }) => settled)).toEqual([true, false, false])
  })

  it('because it took too long is over, also where whoever ran it is not heard of again', async () => {
    const row = await task(schedule, { timeoutSeconds: 30 })
    const [begun] = (await stepAt(schedule, { row, now: START + MINUTE })).begun

    const { ended: late } = await stepAt(schedule, { row: { ...row, enabled: false }, now: START + MINUTE + 30_000 })
    const { settled } = await settle({ execution: begun?.id ?? '', attempt: 1 }, { state: 'completed' }, schedule.call)

    expect(late).toEqual([begun?.id])
    expect(settled).toBe(false)
    expect(await states(schedule)).toEqual(['timed-out'])
  })

  it('because its operation is gone, or its input fits no more, says so and is not tried again', async () => {
    const gone = await task(schedule, { name: 'gone', retries: 3, target: { kind: 'operation', operation: 'db.vanished', input: {} } })
    const unfit = await task(schedule, { name: 'unfit', retries: 3, target: { kind: 'job', type: 'db.embed', payload: { nonsense: 1 }, priority: 5 } })

    const begun = [
      ...(await stepAt(schedule, { row: gone, now: START + MINUTE })).begun,
      ...(await stepAt(schedule, { row: unfit, now: START + MINUTE })).begun,
    ]

    const errors = await owned(schedule.db.database, 'select task_name, error from schedule.executions order by task_name')
    expect(begun).toEqual([])
    expect(await states(schedule)).toEqual(['failed', 'failed'])
    expect(errors.map(([name, error]) => [name, JSON.parse(String(error)).code])).toEqual([
      ['gone', 'INVALID'],
      ['unfit', 'INVALID'],
    ])
    expect(await owned(schedule.db.database, 'select id from queue.jobs')).toEqual([])
  })
})

describe('a task whose target is a job', () => {
  const target: TaskRow['target'] = {
    kind: 'job',
    type: 'schedule.cleanUpExecutions',
    payload: { olderThanDays: 3 },
    priority: 7,
    group: 'upkeep',
    maxAttempts: 2,
  }

  it('puts it into the queue together with its execution, as whoever owns the task', async () => {
    const row = await task(schedule, { target })

    const [begun] = (await stepAt(schedule, { row, now: START + MINUTE })).begun

    const [job] = await owned(
      schedule.db.database,
      'select id, type, priority, payload, group_name, max_attempts, origin, principal_id, principal_kind, ns, state from queue.jobs',
    )
    const expected = [
      'schedule.cleanUpExecutions',
      '7',
      '{"olderThanDays": 3}',
      'upkeep',
      '2',
      `schedule/${begun?.id}`,
      'key_test',
      'key',
      'default',
      'pending',
    ]
    expect(job?.map(String)).toEqual([begun?.jobId, ...expected])
  })

  it('waits for it, and begins another job after one that died', async () => {
    const row = await task(schedule, { target, retries: 1 })
    const [first] = (await stepAt(schedule, { row, now: START + MINUTE })).begun
    const queue = schedule.as('queue', ['executions:settle'])
    const error = { attempt: 2, at: new Date(START).toISOString(), code: 'UPSTREAM', message: 'down' }

    const dead = await queue.settleExecution({ id: first?.id ?? '', job: first?.jobId ?? '', state: 'dead', error })
    const [second] = (await stepAt(schedule, { row, now: Date.now() + 60_000 })).begun
    const late = await queue.settleExecution({ id: first?.id ?? '', job: first?.jobId ?? '', state: 'completed', error: null })
    const done = await queue.settleExecution({ id: first?.id ?? '', job: second?.jobId ?? '', state: 'completed', result: { removed: 1 }, error: null })

    expect([dead, late, done].map(({ settled }) => settled)).toEqual([true, false, true])
    expect(second).toMatchObject({ id: first?.id, attempt: 2 })
    expect(second?.jobId).not.toBe(first?.jobId)
  })

  it('has it cancelled when it takes too long', async () => {
    const row = await task(schedule, { target, timeoutSeconds: 30 })
    await stepAt(schedule, { row, now: START + MINUTE })

    await stepAt(schedule, { row: { ...row, enabled: false }, now: START + MINUTE + 30_000 })

    expect(await owned(schedule.db.database, 'select state from queue.jobs')).toEqual([['cancelled']])
    expect(await states(schedule)).toEqual(['timed-out'])
  })
})

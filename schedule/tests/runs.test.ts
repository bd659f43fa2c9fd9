import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startSchedule, type BoundSchedule, type ScheduleInProcess } from './in-process.ts'
import { complete, MINUTE, START, states, stepAt, task } from './steps.ts'

let schedule: ScheduleInProcess
let admin: BoundSchedule

beforeAll(async () => {
  schedule = await startSchedule()
  return () => schedule.db.close()
})

beforeEach(async () => {
  await schedule.db.database.reset()
  admin = schedule.as('webhooks', ['*'])
})

const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString()

describe('runNow', () => {
  it('runs beside whatever else runs, also a paused task, and as whose task it is', async () => {
    const row = await task(schedule, { enabled: false })

    const { execution } = await admin.runNow({ id: row.id })
    const { begun } = await stepAt(schedule, { row, now: Date.now() })

    expect(execution).toMatchObject({ state: 'waiting', trigger: 'manual', task: row.id, attempts: 0 })
    expect(begun).toMatchObject([{ id: execution?.id, principal: { id: 'key_test' }, arguments: null }])
  })

  it('with arguments needs the right to what they ask for, and has the authority of whoever gave them', async () => {
    const row = await task(schedule)
    const clerk = schedule.as('webhooks', ['tasks:write'])

    const refused = clerk.runNow({ id: row.id, arguments: { $id: 'other' } })
    await expect(refused).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await clerk.runNow({ id: row.id })
    const { execution } = await admin.runNow({ id: row.id, arguments: { $id: 'other' } })
    const { begun } = await stepAt(schedule, { row, now: Date.now() })

    expect(begun.find(({ id }) => id === execution?.id)).toMatchObject({ principal: { id: 'webhooks', kind: 'service' }, arguments: { $id: 'other' } })
  })

  it('refuses arguments that make no sense', async () => {
    const row = await task(schedule)

    await expect(admin.runNow({ id: row.id, arguments: { $id: 7 } })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'target.input.$id' }] })
    expect(await states(schedule)).toEqual([])
  })

  it('dry says what would be done, and does nothing', async () => {
    const row = await task(schedule, { principalKind: 'key', principalId: 'key_00000000000000000000000000' })

    const orphaned = await admin.runNow({ id: row.id, dry: true }, { idempotencyKey: 'dry' })
    const given = await admin.runNow({ id: row.id, dry: true, arguments: { $id: 'other' } })

    expect(orphaned).toMatchObject({ execution: null, would: { allowed: false, reason: expect.stringContaining('is not there') } })
    expect(given.would).toMatchObject({ allowed: true, target: { input: { $id: 'other', $type: 'Note' } } })
    expect(await states(schedule)).toEqual([])
  })
})

describe('backfill', () => {
  it('runs every time of a stretch that has not run, in order, one after another, those that were missed too', async () => {
    const row = await task(schedule, { overlap: 'allow', catchUpSeconds: 0 })
    await complete(schedule, (await stepAt(schedule, { row, now: START + 3 * MINUTE })).begun[0])
    expect(await states(schedule)).toEqual(['missed', 'missed', 'completed'])

    const dry = await admin.backfill({ id: row.id, from: at(-1), to: at(3), dry: true })
    const { count, runs } = await admin.backfill({ id: row.id, from: at(-1), to: at(3) })
    const order: string[] = []
    for (let step = 0; step < 6; step++) {
      const { begun } = await stepAt(schedule, { row: { ...row, enabled: false }, now: Date.now() })
      order.push(...begun.map(({ scheduledFor }) => scheduledFor))
      await complete(schedule, begun[0])
    }

    expect([dry.count, count, runs]).toEqual([4, 4, [at(-1), at(0), at(1), at(2)]])
    expect(order).toEqual(runs)
    expect(await states(schedule)).toEqual(Array(5).fill('completed'))
  })

  it('refuses the future, a stretch that ends before it begins, and more than a thousand times', async () => {
    const row = await task(schedule, { timing: { everySeconds: 1, anchor: at(0) } })

    for (const [from, to, path] of [
      [at(0), new Date(Date.now() + MINUTE).toISOString(), 'to'],
      [at(2), at(1), 'from'],
      [at(0), at(20), 'to'],
    ] as const) {
      await expect(admin.backfill({ id: row.id, from, to })).rejects.toMatchObject({ code: 'INVALID', details: [{ path }] })
    }
  })
})

describe('executions', () => {
  it('are found by everything a person would look for, newest first, a page at a time', async () => {
    const row = await task(schedule, { overlap: 'allow' })
    for (const minutes of [1, 2, 3]) await stepAt(schedule, { row, now: START + minutes * MINUTE })
    const times = async (input: Parameters<BoundSchedule['executions']>[0]) => (await admin.executions(input)).items.map(({ scheduledFor }) => scheduledFor)

    const first = await admin.history({ id: row.id, limit: 2 })
    const second = await admin.history({ id: row.id, limit: 2, cursor: first.nextCursor ?? '' })
    await admin.cancelExecution({ id: second.items[0]?.id ?? '' })

    expect([...first.items, ...second.items].map(({ scheduledFor }) => scheduledFor)).toEqual([at(3), at(2), at(1)])
    expect(second.nextCursor).toBeNull()
    expect(await times({ state: 'cancelled' })).toEqual([at(1)])
    expect(await times({ task: 'tick', state: 'running' })).toEqual([at(3), at(2)])
    expect(await times({ scheduledAfter: at(2), scheduledBefore: at(2) })).toEqual([at(2)])
    expect(await times({ trigger: 'manual' })).toEqual([])
    expect(await times({ errorCode: 'UPSTREAM' })).toEqual([])
    expect((await admin.listTasks({ lastState: 'running' })).items).toMatchObject([{ id: row.id, lastExecution: { scheduledFor: at(3) } }])
  })

  it('that were cancelled are over, and stay so', async () => {
    const row = await task(schedule, { overlap: 'buffer' })
    const [running] = (await stepAt(schedule, { row, now: START + MINUTE })).begun
    await stepAt(schedule, { row, now: START + 2 * MINUTE })

    const cancelled = await admin.cancelExecution({ id: running?.id ?? '' })
    const again = await admin.cancelExecution({ id: running?.id ?? '' })
    const { settled } = await complete(schedule, running)

    expect([cancelled.state, again, settled]).toEqual(['cancelled', cancelled, false])
    expect((await stepAt(schedule, { row, now: START + 2 * MINUTE })).begun).toHaveLength(1)
  })

  it('of somebody else are not there', async () => {
    const row = await task(schedule)
    const [running] = (await stepAt(schedule, { row, now: START + MINUTE })).begun
    const rival = schedule.as('webhooks', ['tasks:read', 'tasks:write'], 'rival')

    const asked = [rival.getExecution({ id: running?.id ?? '' }), rival.cancelExecution({ id: running?.id ?? '' }), rival.history({ id: row.id })]
    const refusals = await Promise.allSettled(asked)

    expect(refusals.map((refusal) => refusal.status === 'rejected' && (refusal.reason as { code: string }).code)).toEqual(asked.map(() => 'NOT_FOUND'))
    expect(await states(schedule)).toEqual(['running'])
  })

  it('of long ago are removed, and no others', async () => {
    const row = await task(schedule, { catchUpSeconds: 0 })
    await stepAt(schedule, { row, now: START + 3 * MINUTE })

    const kept = await admin.cleanUpExecutions({ olderThanDays: 3650 })
    const gone = await admin.cleanUpExecutions({ olderThanDays: 1 })

    expect([kept, gone]).toEqual([{ removed: 0 }, { removed: 2 }])
    expect(await states(schedule)).toEqual(['running'])
  })
})

describe('a paused or deleted task', () => {
  it('begins nothing of what its clock brought before', async () => {
    const row = await task(schedule, { overlap: 'buffer' })
    await stepAt(schedule, { row, now: START + MINUTE })
    await stepAt(schedule, { row, now: START + 2 * MINUTE })

    await admin.disable({ id: row.id })
    expect(await states(schedule)).toEqual(['running', 'skipped'])

    await admin.runNow({ id: row.id })
    await admin.deleteTask({ id: row.id })
    expect(await states(schedule)).toEqual(['running', 'skipped', 'cancelled'])
  })
})

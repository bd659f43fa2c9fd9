import { refusesStrangers } from '@dot-do/worker-kernel/testing'
import { schedule as contract } from '@dot-do/worker-contracts/schedule'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { owned } from '../../db/tests/in-process.ts'
import { startSchedule, type BoundSchedule, type ScheduleInProcess } from './in-process.ts'

const UPSERT = { kind: 'operation', operation: 'db.upsert', input: { $id: 'tick', $type: 'Note', data: {} } } as const
const DAILY = { cron: '0 9 * * *', timezone: 'Europe/London' }

let schedule: ScheduleInProcess
let acme: BoundSchedule

beforeAll(async () => {
  schedule = await startSchedule()
  return () => schedule.db.close()
})

beforeEach(async () => {
  await schedule.db.database.reset()
  acme = schedule.as('webhooks', ['tasks:read', 'tasks:write', 'things:write'], 'acme')
})

/** A task of acme's. */
function make(about: Partial<Parameters<BoundSchedule['createTask']>[0]> = {}) {
  return acme.createTask({ name: 'tick', timing: DAILY, target: UPSERT, ...about })
}

describe('createTask', () => {
  it('answers the task as it is read afterwards, with its next time', async () => {
    const made = await make({ description: 'Ticks', alertAfterSeconds: 60, note: 'new' })

    const read = await acme.getTask({ id: 'tick' })

    expect(read).toEqual(made)
    expect(await acme.getTask({ id: made.id })).toEqual(made)
    expect(made).toMatchObject({
      ns: 'acme',
      enabled: true,
      builtIn: false,
      version: 1,
      overlap: 'skip',
      lastExecution: null,
      createdBy: 'webhooks',
      note: 'new',
    })
    expect((await acme.preview({ id: 'tick', count: 1 })).runs).toEqual([made.nextRunAt])
  })

  it('is one task for one key, however often it is asked for', async () => {
    const input = { name: 'tick', timing: DAILY, target: UPSERT }

    const first = await acme.createTask(input, { idempotencyKey: 'one' })
    const second = await acme.createTask(input, { idempotencyKey: 'one' })

    expect(second).toEqual(first)
  })

  it('refuses a name that is taken, and gives it away again once the task is deleted', async () => {
    await make()

    await expect(make()).rejects.toMatchObject({ code: 'CONFLICT', details: [{ path: 'name' }] })
    await acme.deleteTask({ id: 'tick' })

    expect(await make()).toMatchObject({ name: 'tick', version: 1 })
  })

  it.each([
    ['a cron that never fires', { timing: { cron: '0 0 30 2 *' } }, 'INVALID', 'timing.cron'],
    ['an unknown zone', { timing: { cron: '@daily', timezone: 'Mars/Olympus' } }, 'INVALID', 'timing.timezone'],
    ['a date in the past', { timing: { at: '2020-01-01T00:00:00Z' } }, 'INVALID', 'timing.at'],
    ['a job of no known type', { target: { kind: 'job', type: 'db.nothing' } }, 'INVALID', 'target.type'],
    ['a payload that does not fit', { target: { kind: 'job', type: 'db.upsert', payload: { $id: 7 } } }, 'INVALID', 'target.payload.$id'],
    ['an operation of a service that jobs reach', { target: { kind: 'operation', operation: 'queue.enqueue' } }, 'INVALID', 'target.operation'],
    [
      'an operation that would happen twice',
      { target: { kind: 'operation', operation: 'db.execute', input: { statements: [] } } },
      'INVALID',
      'target.operation',
    ],
    ['an operation nobody has', { target: { kind: 'operation', operation: 'db.toString' } }, 'INVALID', 'target.operation'],
    ['a private address', { target: { kind: 'http', url: 'http://10.1.2.3/' } }, 'INVALID', 'target.url'],
    ['a name of this machine', { target: { kind: 'http', url: 'http://localhost:8787/' } }, 'INVALID', 'target.url'],
    ['a password', { target: { kind: 'http', url: 'https://me:secret@example.com/' } }, 'INVALID', 'target.url'],
    ['a body that is not sent', { target: { kind: 'http', method: 'GET', url: 'https://example.com/', body: 'x' } }, 'INVALID', 'target.body'],
    ['a header that is none', { target: { kind: 'http', url: 'https://example.com/', headers: { 'a b': 'c' } } }, 'INVALID', 'target.headers'],
    ['a call that takes hours', { timeoutSeconds: 7200 }, 'INVALID', 'timeoutSeconds'],
    ['what the asker may not do', { target: { kind: 'operation', operation: 'auth.listKeys' } }, 'FORBIDDEN', undefined],
    ['a job the asker may not do', { target: { kind: 'job', type: 'db.backup' } }, 'FORBIDDEN', undefined],
  ] as const)('refuses %s', async (_name, about, code, path) => {
    const refused = make({ ...about, target: 'target' in about ? about.target : { kind: 'http', url: 'https://example.com/' } })

    await expect(refused).rejects.toMatchObject({
      code,
      ...(path === undefined ? {} : { details: expect.arrayContaining([expect.objectContaining({ path })]) }),
    })
    expect(await owned(schedule.db.database, `select id from schedule.tasks where ns = 'acme'`)).toEqual([])
  })

  it('lets a job take hours', async () => {
    const made = await make({ target: { kind: 'job', type: 'db.upsert', payload: UPSERT.input }, timeoutSeconds: 7200 })

    expect(made.timeoutSeconds).toBe(7200)
  })
})

describe('updateTask', () => {
  it('changes what is named, and makes the task that of whoever changes its target', async () => {
    await make({ retries: 2 })
    const colleague = schedule.as('github', ['tasks:write', 'things:write'], 'acme')

    const slower = await colleague.updateTask({ id: 'tick', timing: { cron: '0 9 * * MON' } })
    const [before] = await owned(schedule.db.database, `select principal_id from schedule.tasks where ns = 'acme'`)
    await colleague.updateTask({ id: 'tick', target: { ...UPSERT, input: { ...UPSERT.input, $id: 'tock' } } })
    const [after] = await owned(schedule.db.database, `select principal_id from schedule.tasks where ns = 'acme'`)

    expect(slower).toMatchObject({ version: 2, retries: 2, timing: { cron: '0 9 * * MON', timezone: 'UTC' } })
    expect([before, after]).toEqual([['webhooks'], ['github']])
  })

  it('refuses another version than was meant, and a target that its new owner may not have', async () => {
    await make()
    const powerless = schedule.as('github', ['tasks:write'], 'acme')

    await expect(acme.updateTask({ id: 'tick', name: 'tock', ifVersion: 2 })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(powerless.updateTask({ id: 'tick', target: UPSERT })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await acme.getTask({ id: 'tick' })).toMatchObject({ name: 'tick', version: 1 })
  })

  it('takes an alert away where it is told null', async () => {
    await make({ alertAfterSeconds: 60 })

    const changed = await acme.updateTask({ id: 'tick', alertAfterSeconds: null })

    expect(changed).not.toHaveProperty('alertAfterSeconds')
  })
})

describe('a paused task', () => {
  it('says why and has no next time until it is let run again', async () => {
    await make()

    const paused = await acme.disable({ id: 'tick', note: 'holidays' })
    const again = await acme.disable({ id: 'tick', note: 'holidays' })
    const running = await acme.enable({ id: 'tick' })

    expect(paused).toMatchObject({ enabled: false, note: 'holidays', nextRunAt: null, version: 2 })
    expect(again).toEqual(paused)
    expect(running).toMatchObject({ enabled: true, version: 3 })
    expect(running.note).toBeUndefined()
    expect(running.nextRunAt).not.toBeNull()
  })
})

describe('deleteTask', () => {
  it('says whether there was one', async () => {
    const { id } = await make()

    expect(await acme.deleteTask({ id: 'tick' })).toEqual({ id, deleted: true })
    expect(await acme.deleteTask({ id: 'tick' })).toEqual({ id: 'tick', deleted: false })
    await expect(acme.getTask({ id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('leaves what comes with the platform', async () => {
    await make()
    await owned(schedule.db.database, 'update schedule.tasks set built_in = true')

    await expect(acme.deleteTask({ id: 'tick' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('listTasks', () => {
  it('finds by everything a person would look for, a page at a time', async () => {
    await make({ name: 'a' })
    await make({ name: 'b', enabled: false })
    await make({ name: 'c', target: { kind: 'http', url: 'https://example.com/hook' } })
    const names = async (input: Parameters<BoundSchedule['listTasks']>[0]) => (await acme.listTasks(input)).items.map(({ name }) => name)

    const first = await acme.listTasks({ limit: 2 })
    const second = await acme.listTasks({ limit: 2, cursor: first.nextCursor ?? '' })

    expect([first, second].map(({ items }) => items.map(({ name }) => name))).toEqual([['a', 'b'], ['c']])
    expect(second.nextCursor).toBeNull()
    expect(await names({ enabled: false })).toEqual(['b'])
    expect(await names({ kind: 'http' })).toEqual(['c'])
    expect(await names({ target: 'db.upsert' })).toEqual(['a', 'b'])
    expect(await names({ createdBy: 'webhooks' })).toHaveLength(3)
    expect(await names({ dueBefore: new Date(Date.now() + 2 * 86_400_000).toISOString() })).toEqual(['a', 'c'])
    expect(await names({ lastState: 'completed' })).toEqual([])
  })
})

describe('previewTiming', () => {
  it('tells the next times of what is no task yet', async () => {
    const { runs } = await acme.previewTiming({ timing: { cron: '30 2 * * *', timezone: 'America/New_York' }, count: 2, from: '2026-03-07T12:00:00Z' })

    expect(runs).toEqual(['2026-03-08T07:00:00.000Z', '2026-03-09T06:30:00.000Z'])
    await expect(acme.previewTiming({ timing: { cron: 'soon' } })).rejects.toMatchObject({ code: 'INVALID' })
  })
})

describe('a namespace', () => {
  it('of somebody else is not there, but to whoever may do everything', async () => {
    const { id } = await make()
    const rival = schedule.as('webhooks', ['tasks:read', 'tasks:write'], 'rival')
    const admin = schedule.as('github', ['*'])

    const asked = [rival.getTask({ id }), rival.getTask({ id: 'tick' }), rival.getTask({ id: 'tick', ns: 'acme' }), rival.listTasks({ ns: 'acme' })]
    const refusals = await Promise.allSettled(asked)

    expect(refusals.map((refusal) => refusal.status === 'rejected' && (refusal.reason as { code: string }).code)).toEqual(asked.map(() => 'NOT_FOUND'))
    expect(await rival.deleteTask({ id })).toEqual({ id, deleted: false })
    expect((await rival.listTasks({})).items).toEqual([])
    expect([(await admin.getTask({ id })).id, (await admin.getTask({ id: 'tick', ns: 'acme' })).id]).toEqual([id, id])
  })
})

describe('schedule', () => {
  it('refuses strangers before it finds fault with what they ask', async () => {
    const asking = refusesStrangers(contract, (operation, stranger) => {
      const bound = stranger.kind === 'anonymous' ? schedule.as('nobody', []) : schedule.as(stranger.id, [])
      const method = bound[operation as 'getTask'] // whichever it is, it is asked for nothing
      return stranger.kind === 'anonymous' ? method({} as never, { onBehalfOf: stranger }) : method({} as never)
    })

    await expect(asking).resolves.toBeUndefined()
  })
})

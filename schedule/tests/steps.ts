import { generateId } from '@dot-do/worker-utils'
import { owned } from '../../db/tests/in-process.ts'
import { settle, takeStep, type Step } from '../src/executing.ts'
import { planOf } from '../src/plan.ts'
import type { TaskRow } from '../src/tables.ts'
import type { ScheduleInProcess } from './in-process.ts'

/** When the tasks of these tests are made. */
export const START = Date.parse('2026-11-20T12:00:00.000Z')
export const MINUTE = 60_000

/** A task of every minute that calls an operation, made at START. */
export async function task(schedule: ScheduleInProcess, about: Partial<TaskRow> = {}): Promise<TaskRow> {
  const at = new Date(START).toISOString()
  const row: TaskRow = {
    id: generateId('task'),
    ns: 'default',
    name: 'tick',
    description: '',
    timing: { everySeconds: 60, anchor: at },
    overlap: 'skip',
    enabled: true,
    catchUpSeconds: 300,
    jitterSeconds: 0,
    retries: 0,
    retryAfterSeconds: 10,
    timeoutSeconds: 300,
    alertAfterSeconds: null,
    note: null,
    builtIn: false,
    target: { kind: 'operation', operation: 'db.upsert', input: { $id: 'tick', $type: 'Note', data: {} } },
    principalId: 'key_test',
    principalKind: 'key',
    principalTenant: 'default',
    version: 1,
    armedVersion: null,
    nextRunAt: null,
    settledUntil: at,
    createdBy: 'key_test',
    createdAt: at,
    updatedAt: at,
    deletedAt: null,
    ...about,
  }
  const columns = Object.entries(row).map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value] as const)
  const json = JSON.stringify(Object.fromEntries(columns)).replaceAll(`'`, `''`)
  await owned(schedule.db.database, `insert into schedule.tasks select (jsonb_populate_record(null::schedule.tasks, '${json}')).*`)
  return row
}

/** A step of the task's clock at a time. */
export async function stepAt(schedule: ScheduleInProcess, { row, now, mine = [] }: { row: TaskRow; now: number; mine?: string[] }): Promise<Step> {
  const step = await takeStep(row, { plan: planOf(row, now), now, mine }, schedule.call)
  if (typeof step === 'string') throw new Error(step)
  row.settledUntil = step.settledUntil
  return step
}

/** Lets an attempt be done. */
export async function complete(schedule: ScheduleInProcess, attempt: Step['begun'][number] | undefined) {
  return settle({ execution: attempt?.id ?? '', attempt: attempt?.attempt ?? 0 }, { state: 'completed' }, schedule.call)
}

/** What the executions of all tasks are at, in order of their times. */
export async function states(schedule: ScheduleInProcess): Promise<string[]> {
  return (await owned(schedule.db.database, 'select state from schedule.executions order by scheduled_for, id')).map(([state]) => String(state))
}

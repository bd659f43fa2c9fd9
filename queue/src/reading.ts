import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { allows, ServiceError } from '@dot-do/worker-utils'
import { eq, getTableColumns } from 'drizzle-orm'
import type { Env } from './env.ts'
import type { JobRow, ShownJob } from './job-row.ts'
import { jobs } from './tables.ts'

const { payload: _payload, result: _result, ...shownColumns } = getTableColumns(jobs)

/** The columns that lists need; payloads and results stay where they are. */
export const SHOWN_COLUMNS = shownColumns

/** A job that the asker may know of, with what it was given and what came of it; another namespace's is not there. */
export async function jobOf(id: string, call: Call<Env>): Promise<JobRow> {
  const [row] = await database(call).select().from(jobs).where(eq(jobs.id, id))
  return visible(row, id, call)
}

/** The same without payload and result. */
export async function shownJobOf(id: string, call: Call<Env>): Promise<ShownJob> {
  const [row] = await database(call).select(SHOWN_COLUMNS).from(jobs).where(eq(jobs.id, id))
  return visible(row, id, call)
}

function visible<Row extends ShownJob>(row: Row | undefined, id: string, { principal: { tenant, permissions } }: Call<Env>): Row {
  if (!row || (row.ns !== tenant && !allows(permissions, '*'))) throw new ServiceError('NOT_FOUND', `No job ${id}`)
  return row
}

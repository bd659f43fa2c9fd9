import { database, type Buildable } from '@dot-do/worker-data/database'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import type { Call } from '@dot-do/worker-kernel/call'
import { allows } from '@dot-do/worker-utils'
import { and, desc, eq, sql } from 'drizzle-orm'
import type { Env } from './env.ts'
import { generations } from './tables.ts'

/** A row of the table of texts that models wrote. */
export type GenerationRow = typeof generations.$inferSelect

/** A page of a namespace's texts and one more, newest first. INVALID for a cursor that is no place in such a list. */
export function generationsOf(ns: string, { limit, cursor }: { limit: number; cursor?: string | undefined }, call: Call<Env>): Promise<GenerationRow[]> {
  return database(call)
    .select()
    .from(generations)
    .where(and(eq(generations.ns, ns), cursor === undefined ? undefined : olderThan(cursor)))
    .orderBy(desc(generations.createdAt), desc(generations.id))
    .limit(limit + 1)
}

/** One text, where the asker may see it: of their own namespace, or of any for whoever may everything. */
export async function findGeneration(id: string, call: Call<Env>): Promise<GenerationRow | undefined> {
  const { principal } = call
  const isVisible = allows(principal.permissions, '*') ? undefined : eq(generations.ns, principal.tenant)
  const [row] = await database(call)
    .select()
    .from(generations)
    .where(and(eq(generations.id, id), isVisible))
  return row
}

/** The statement that keeps a text. */
export function keep(row: GenerationRow, call: Call<Env>): Buildable {
  return database(call).insert(generations).values(row)
}

/** The statement that removes what was written up to a moment, and counts it. */
export function removeUpTo(moment: Date): Buildable {
  const text = `with removed as (delete from queue.generations where created_at <= $1::timestamptz returning 1) select count(*) from removed`
  return { sql: text, params: [moment.toISOString()] }
}

/** A text as it is shown. */
export function shownGeneration({ createdAt, ...row }: GenerationRow) {
  return { ...row, createdAt: new Date(createdAt).toISOString() }
}

/** Where a page ends. */
export function placeOf({ createdAt, id }: GenerationRow): [at: string, id: string] {
  return [new Date(createdAt).toISOString(), id]
}

function olderThan(cursor: string) {
  const [at, id] = placeInList(cursor)
  return sql`(${generations.createdAt}, ${generations.id}) < (${at}::timestamptz, ${id})`
}

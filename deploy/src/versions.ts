import type { PublishedVersion } from '@dot-do/worker-contracts/deployment'
import { database, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { ServiceError } from '@dot-do/worker-utils'
import { and, eq } from 'drizzle-orm'
import type * as z from 'zod'
import { iso } from './attempt.ts'
import type { Env } from './env.ts'
import type { Place } from './places.ts'
import { versions } from './tables.ts'

/** A row of the table of versions. */
export type VersionRow = typeof versions.$inferSelect

/** The statement that remembers what a version is made of. The same version again stays as it was first described. */
export function rememberVersion(row: VersionRow, call: Call<Env>): Buildable {
  return database(call).insert(versions).values(row).onConflictDoNothing()
}

/** What a version is made of. NOT_FOUND if there is no such version. */
export async function findVersion({ tenant, service }: Pick<Place, 'tenant' | 'service'>, version: number, call: Call<Env>): Promise<VersionRow> {
  const [row] = await database(call)
    .select()
    .from(versions)
    .where(and(eq(versions.tenant, tenant), eq(versions.service, service), eq(versions.version, version)))
  if (!row) throw new ServiceError('NOT_FOUND', `${service} has no version ${version}`)
  return row
}

/** A version as it is shown. */
export function shownVersion(row: VersionRow): z.input<typeof PublishedVersion> {
  return { ...row, createdAt: iso(row.createdAt) }
}

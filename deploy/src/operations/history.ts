import { database } from '@dot-do/worker-data/database'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { allows, decodeCursor, pageOf, ServiceError } from '@dot-do/worker-utils'
import { and, desc, eq, lt, sql } from 'drizzle-orm'
import { iso, shown } from '../attempt.ts'
import { loadBundle } from '../bundle.ts'
import { compare } from '../comparison.ts'
import type { Operations } from '../operations.ts'
import { deployments, versions } from '../tables.ts'
import { tenantOf } from '../tenants.ts'
import { findVersion, shownVersion } from '../versions.ts'

export const listDeployments: Operations['listDeployments'] = async ({ limit, cursor, service, environment, ...input }, call) => {
  const wanted = and(
    eq(deployments.tenant, tenantOf(input.tenant, call)),
    service === undefined ? undefined : eq(deployments.service, service),
    environment === undefined ? undefined : eq(deployments.environment, environment),
    cursor === undefined ? undefined : olderThan(cursor),
  )
  const found = await database(call)
    .select()
    .from(deployments)
    .where(wanted)
    .orderBy(desc(deployments.createdAt), desc(deployments.id))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ createdAt, id }) => [iso(createdAt), id])
  const now = new Date()
  return { items: items.map((row) => shown(row, call.env.HOST_SUFFIX, now)), nextCursor }
}

export const getDeployment: Operations['getDeployment'] = async ({ id }, call) => {
  const { tenant, permissions } = call.principal
  const [row] = await database(call).select().from(deployments).where(eq(deployments.id, id))
  if (!row || (row.tenant !== tenant && !allows(permissions, '*'))) throw new ServiceError('NOT_FOUND', `No deployment ${id}`)
  return shown(row, call.env.HOST_SUFFIX, new Date())
}

export const listVersions: Operations['listVersions'] = async ({ limit, cursor, service, ...input }, call) => {
  const wanted = and(
    eq(versions.tenant, tenantOf(input.tenant, call)),
    eq(versions.service, service),
    cursor === undefined ? undefined : lt(versions.version, decodeCursor(cursor, isNumber)),
  )
  const found = await database(call)
    .select()
    .from(versions)
    .where(wanted)
    .orderBy(desc(versions.version))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ version }) => version)
  return { items: items.map(shownVersion), nextCursor }
}

export const diff: Operations['diff'] = async ({ service, from, to, ...input }, call) => {
  const owner = { tenant: tenantOf(input.tenant, call), service }
  const [before, after] = await Promise.all([findVersion(owner, from, call), findVersion(owner, to, call)])
  const bucket = call.env.DEPLOY_BUCKET
  return { ...owner, from, to, ...compare(await loadBundle(bucket, owner, before), await loadBundle(bucket, owner, after)) }
}

function isNumber(place: unknown): place is number {
  return Number.isSafeInteger(place)
}

function olderThan(cursor: string) {
  const [at, id] = placeInList(cursor)
  return sql`(${deployments.createdAt}, ${deployments.id}) < (${at}::timestamptz, ${id})`
}

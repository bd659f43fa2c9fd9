import { batch, database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { decodeCursor, pageOf, ServiceError } from '@dot-do/worker-utils'
import { and, eq, gt, isNotNull, sql } from 'drizzle-orm'
import { iso } from '../attempt.ts'
import { auditing } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { placeOf, type Place } from '../places.ts'
import { servingVersions, slotOf } from '../pointers.ts'
import { refusal } from '../refusal.ts'
import { seal } from '../sealing.ts'
import { refreshSecrets } from '../secrets.ts'
import { secrets } from '../tables.ts'
import { tenantFor, tenantOf } from '../tenants.ts'
import { findVersion } from '../versions.ts'

type SecretRow = typeof secrets.$inferSelect

/** How many secrets a worker may have in one environment; Cloudflare allows 128 variables and secrets together. */
const MAX_SECRETS = 100

export const setSecret: Operations['setSecret'] = ({ name, value, ...input }, call) => {
  const place = placeOf(input, call.principal)
  const deed = () => deedOf('setSecret', name, place)
  return auditing(call, deed, async () => {
    tenantFor(input.tenant, call)
    const serving = await servingIn(place, call)
    await refuseTaken(name, place, { serving, call })
    const sealed = await seal(value, { ...place, name }, call.env.DEPLOY_SECRET_KEY)
    const row = await store(name, sealed, { place, call })
    await refreshSecrets(place, serving, call)
    return shownSecret(row)
  })
}

export const removeSecret: Operations['removeSecret'] = ({ name, ...input }, call) => {
  const place = placeOf(input, call.principal)
  const deed = () => deedOf('removeSecret', name, place)
  return auditing(call, deed, async () => {
    tenantFor(input.tenant, call)
    const [known] = await database(call).select().from(secrets).where(isSecret(place, name))
    if (!known) throw new ServiceError('NOT_FOUND', `${place.service} has no secret ${name} in ${place.environment}`)
    const row = known.sealed === null ? known : await store(name, null, { place, call })
    await refreshSecrets(place, await servingIn(place, call), call)
    return shownSecret(row)
  })
}

export const listSecrets: Operations['listSecrets'] = async ({ limit, cursor, ...input }, call) => {
  const { tenant, service, environment } = placeOf({ ...input, tenant: tenantOf(input.tenant, call) }, call.principal)
  const found = await database(call)
    .select()
    .from(secrets)
    .where(
      and(
        eq(secrets.tenant, tenant),
        eq(secrets.service, service),
        eq(secrets.environment, environment),
        isNotNull(secrets.sealed),
        cursor === undefined ? undefined : gt(secrets.name, decodeCursor(cursor, isText)),
      ),
    )
    .orderBy(secrets.name)
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ name }) => name)
  return { items: items.map(shownSecret), nextCursor }
}

function deedOf(operation: string, name: string, { tenant, service, environment }: Place) {
  return { action: `deploy.${operation}`, subject: service, tenant, detail: { environment, name } }
}

async function servingIn(place: Place, call: Call<Env>): Promise<number[]> {
  const slot = await slotOf(place, call)
  return slot ? servingVersions(slot) : []
}

/** A script has one value to a name: a secret must not take the place of a variable or a binding. */
async function refuseTaken(name: string, place: Place, { serving, call }: { serving: number[]; call: Call<Env> }): Promise<void> {
  for (const version of serving) {
    const { vars, bindings } = await findVersion(place, version, call)
    if (Object.hasOwn(vars, name)) throw refusal('name', `is a variable of v${version}, which is serving: ${name}`, 'CONFLICT')
    if (bindings.some((binding) => binding.name === name)) throw refusal('name', `is a binding of v${version}, which is serving: ${name}`, 'CONFLICT')
  }
}

/** Stores a secret, or with null that there is none any more; either way it is the next version of it. */
async function store(name: string, sealed: string | null, { place, call }: { place: Place; call: Call<Env> }): Promise<SecretRow> {
  const { tenant, service, environment } = place
  const [counted] = await batch(call, [
    {
      sql: 'select count(*)::integer from deploy.secrets where tenant = $1 and service = $2 and environment = $3 and sealed is not null and name <> $4',
      params: [tenant, service, environment, name],
    },
  ])
  if (sealed !== null && Number(counted?.rows[0]?.[0]) >= MAX_SECRETS) throw refusal('name', `would be one secret more than ${MAX_SECRETS}`)
  const changed = { sealed, updatedAt: new Date().toISOString(), updatedBy: call.principal.id }
  const [row] = await database(call)
    .insert(secrets)
    .values({ ...place, name, version: 1, ...changed })
    .onConflictDoUpdate({
      target: [secrets.tenant, secrets.service, secrets.environment, secrets.name],
      set: { ...changed, version: sql`${secrets.version} + 1` },
    })
    .returning()
  if (!row) throw new TypeError('An upsert gives a row')
  return row
}

function isSecret({ tenant, service, environment }: Place, name: string) {
  return and(eq(secrets.tenant, tenant), eq(secrets.service, service), eq(secrets.environment, environment), eq(secrets.name, name))
}

function shownSecret({ name, service, environment, tenant, version, updatedAt, updatedBy }: SecretRow) {
  return { name, service, environment, tenant, version, updatedAt: iso(updatedAt), updatedBy }
}

function isText(place: unknown): place is string {
  return typeof place === 'string'
}

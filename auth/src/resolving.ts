import type { Auth } from '@dot-do/worker-contracts/auth'
import { database } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { and, eq, isNull, sql } from 'drizzle-orm'
import { whyEnded } from './api-keys.ts'
import type { Env } from './env.ts'
import { effectivePermissions, ownPermissions } from './organisations/effective.ts'
import { keys, members, organisations, trusts, users } from './tables.ts'

/** Whom somebody asked about: an id, and the organisation in whose name it acted. */
export interface Asked {
  id: string
  tenant: string
}

type Resolved = Awaited<ReturnType<Auth['resolvePrincipal']>>

/** No line of rotated keys is followed further: one rotated every hour for a year is shorter. */
const LONGEST_LINE = 10_000

const RESOLVERS: Readonly<Record<string, (asked: Asked, call: Call<Env>) => Promise<Resolved>>> = { key: resolveKey, user: resolveUser, trust: resolveTrust }

/** What a key, a user or a trust may now, by the prefix of its id. A service’s own name is none of these: what it may, bindings say. */
export async function resolve(asked: Asked, call: Call<Env>): Promise<Resolved> {
  const [prefix = ''] = asked.id.split('_')
  return Object.hasOwn(RESOLVERS, prefix) ? ((await RESOLVERS[prefix]?.(asked, call)) ?? nobody('unknown')) : nobody('unknown')
}

/** A rotated key may what the newest of its line may. It keeps its own id: keyed calls that it made before are remembered under that. */
async function resolveKey({ id, tenant }: Asked, call: Call<Env>): Promise<Resolved> {
  const newest = sql`(with recursive line as (
    select id, replaced_by, 1 as length from auth.keys where id = ${id} and tenant = ${tenant}
    union all select successor.id, successor.replaced_by, length + 1 from line join auth.keys successor on successor.id = line.replaced_by where length < ${LONGEST_LINE}
  ) select id from line where replaced_by is null)`
  const [row] = await database(call)
    .select({ permissions: keys.permissions, expiresAt: keys.expiresAt, revokedAt: keys.revokedAt })
    .from(keys)
    .where(eq(keys.id, newest))
  if (!row) return nobody('unknown')
  const ended = whyEnded(row, new Date())
  return ended ? nobody(ended) : { principal: { id, kind: 'key', tenant, permissions: row.permissions } }
}

async function resolveUser({ id, tenant }: Asked, call: Call<Env>): Promise<Resolved> {
  const isPlace = and(eq(organisations.slug, tenant), isNull(organisations.deletedAt))
  const [row] = await database(call)
    .select({ disabledAt: users.disabledAt, organisation: organisations.id, roles: members.roles, granted: members.permissions, own: ownPermissions })
    .from(users)
    .leftJoin(organisations, isPlace)
    .leftJoin(members, and(eq(members.userId, users.id), eq(members.organisationId, organisations.id)))
    .where(eq(users.id, id))
  if (!row) return nobody('unknown')
  if (row.disabledAt !== null) return nobody('disabled')
  const { roles, granted, own } = row
  if (roles === null || granted === null) return nobody('no_member')
  return { principal: { id, kind: 'user', tenant, permissions: effectivePermissions(tenant, { roles, granted, own }) } }
}

/** A credential may have held what several trusts gave; what was left for later has what the one it is named after gives. */
async function resolveTrust({ id, tenant }: Asked, call: Call<Env>): Promise<Resolved> {
  const [row] = await database(call)
    .select({ permissions: trusts.permissions })
    .from(trusts)
    .where(and(eq(trusts.id, id), eq(trusts.tenant, tenant)))
  return row ? { principal: { id, kind: 'workload', tenant, permissions: row.permissions } } : nobody('unknown')
}

function nobody(reason: NonNullable<Resolved['reason']>): Resolved {
  return { principal: null, reason }
}

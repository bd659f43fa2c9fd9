import { batch, type Buildable } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { resolve } from '../resolving.ts'
import { PLATFORM_TENANT } from '../roles.ts'
import { forgetRefusals } from '../sessions/revocations.ts'
import { forgetRetired } from '../sessions/signing-keys.ts'

const DAY_MS = 86_400_000

/** How many lines of keys, each a key and those it replaced, are removed in one transaction, and how many such transactions there are in one run. */
const LINES = 200
const ROUNDS = 50

const REMOVE_SESSIONS = `with removed as (delete from auth.sessions where least(expires_at, revoked_at) <= $1::timestamptz returning 1) select count(*) from removed`

/** Keys whose whole line ended: work that was left for later may name any key of it, and then has what the newest has. */
const ENDED_LINES = `with recursive line as (
    select id, id as newest, replaces, least(expires_at, revoked_at) as ended from auth.keys where replaced_by is null and least(expires_at, revoked_at) <= $1::timestamptz
    union all select key.id, line.newest, key.replaces, least(key.expires_at, key.revoked_at) from line join auth.keys key on key.id = line.replaces
  ), removable as (
    select newest from line group by newest having bool_and(coalesce(ended <= $1::timestamptz, false)) order by newest limit $2
  ) select id from line where newest in (select newest from removable)`

export const resolvePrincipal: Operations['resolvePrincipal'] = (asked, call) => resolve(asked, call)

export const cleanUpSessions: Operations['cleanUpSessions'] = async ({ olderThanDays }, call) => {
  const now = new Date()
  const [removed] = await batch(call, [{ sql: REMOVE_SESSIONS, params: [before(now, olderThanDays)] }, forgetRetired(now), forgetRefusals(now)])
  return { sessions: Number(removed?.rows[0]?.[0]) }
}

export const cleanUpKeys: Operations['cleanUpKeys'] = async ({ olderThanDays }, call) => {
  const now = new Date()
  let removed = 0
  for (let round = 0; round < ROUNDS; round++) {
    const ids = await endedKeys(before(now, olderThanDays), call)
    if (ids.length === 0) break
    await batch(call, [removal(ids), audited(ids, call, now)])
    removed += ids.length
  }
  return { keys: removed }
}

/** A key that ended is never in force again, so that nothing changes between this and their removal. */
async function endedKeys(at: string, call: Call<Env>): Promise<string[]> {
  const [found] = await batch(call, [{ sql: ENDED_LINES, params: [at, LINES] }])
  return (found?.rows ?? []).map(([id]) => String(id))
}

function removal(ids: string[]): Buildable {
  return { sql: 'delete from auth.keys where id in (select jsonb_array_elements_text($1::jsonb))', params: [JSON.stringify(ids)] }
}

function audited(ids: string[], call: Call<Env>, at: Date): Buildable {
  return appendAudit(call, { action: 'auth.cleanUpKeys', subject: 'keys', tenant: PLATFORM_TENANT, detail: { keys: ids } }, at.toISOString())
}

function before(now: Date, days: number): string {
  return new Date(now.getTime() - days * DAY_MS).toISOString()
}

import { batch, database } from '@dot-do/worker-data/database'
import { commit } from '@dot-do/worker-data/ledger'
import type { Call } from '@dot-do/worker-kernel/call'
import { allows, generateId, pageOf, ServiceError } from '@dot-do/worker-utils'
import { and, asc, desc, eq, sql } from 'drizzle-orm'
import { iso } from '../api-keys.ts'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { refuseBeyond } from '../organisations/giving.ts'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { signAccessToken } from '../sessions/access-tokens.ts'
import { SCHEMA, trusts } from '../tables.ts'
import { allowanceOf, type Allowance } from '../workloads/credential.ts'
import { provedJob, type Job } from '../workloads/job.ts'
import { isAbout, pinOf, type TrustRow } from '../workloads/rules.ts'

/** How long a job's credential lives. */
const LIFETIME_SECONDS = 900

/** How many rules one organisation has at most. */
const MOST_TRUSTS = 200

export const createTrust: Operations['createTrust'] = async ({ tenant: asked, branch = null, environment = null, ...rule }, call) => {
  const tenant = tenantFor(asked, call)
  refuseBeyond({ permissions: rule.permissions, tenant, path: 'permissions', isList: true }, call)
  if (branch?.includes('**')) throw new ServiceError('INVALID', 'The input does not fit', { details: [{ path: 'branch', message: 'must not contain **' }] })
  if ((await database(call).$count(trusts, eq(trusts.tenant, tenant))) >= MOST_TRUSTS)
    throw new ServiceError('CONFLICT', `${tenant} has ${MOST_TRUSTS} rules already`)
  const unused = { pinnedId: null, lastUsedAt: null }
  const row = { id: generateId('trust'), tenant, branch, environment, ...rule, ...unused, createdAt: new Date().toISOString(), createdBy: call.principal.id }
  const answer = shown(row)
  const detail = { repository: rule.repository, branch, environment, permissions: rule.permissions }
  const audited = appendAudit(call, { action: 'auth.createTrust', subject: row.id, tenant, detail }, row.createdAt)
  await commit(call, SCHEMA, { statements: [database(call).insert(trusts).values(row), audited], answer })
  return answer
}

export const listTrusts: Operations['listTrusts'] = async ({ limit, cursor }, call) => {
  const found = await database(call)
    .select()
    .from(trusts)
    .where(and(ofTenant(call), cursor === undefined ? undefined : olderThan(cursor)))
    .orderBy(desc(trusts.createdAt), desc(trusts.id))
    .limit(limit + 1)
  const { items, nextCursor } = pageOf(found, limit, ({ createdAt, id }) => [iso(createdAt), id])
  return { items: items.map(shown), nextCursor }
}

export const deleteTrust: Operations['deleteTrust'] = async ({ id }, call) => {
  const [row] = await database(call)
    .select()
    .from(trusts)
    .where(and(eq(trusts.id, id), ofTenant(call)))
  if (!row) throw new ServiceError('NOT_FOUND', `No trust ${id}`)
  const at = new Date().toISOString()
  // A credential names one rule and holds what several gave, so those of all rules that could have gone along with this one are refused; jobs ask again.
  const together = { sql: 'select auth.refuse_tokens_of_trusts($1, $2::timestamptz)', params: [id, at] }
  const deleted = database(call).delete(trusts).where(eq(trusts.id, id))
  const audited = appendAudit(call, { action: 'auth.deleteTrust', subject: id, tenant: row.tenant, detail: { repository: row.repository } }, at)
  await batch(call, [together, deleted, audited])
  return shown(row)
}

export const exchangeToken: Operations['exchangeToken'] = async ({ token, permissions: asked }, call) => {
  const job = await provedJob(token, call.env)
  const issuedAt = new Date()
  const rules = (await rulesOf(job, call)).filter((rule) => isAbout(rule, job))
  if (rules.length === 0) throw new ServiceError('FORBIDDEN', `No rule trusts ${described(job)}`)
  const allowance = allowanceOf(rules, asked)
  const [first] = allowance.rules
  const sub = first?.id ?? ''
  await batch(call, [spend(job, allowance, issuedAt), audit({ job, allowance, sub }, call, issuedAt)])
  const { tenant, permissions } = allowance
  const accessToken = await signAccessToken({ sub, kind: 'workload', tenant, permissions, issuedAt }, LIFETIME_SECONDS, call)
  return { accessToken, expiresIn: LIFETIME_SECONDS, permissions, tenant }
}

/** The rules about a job's owner; whether they are about the job itself is for `isAbout`. */
function rulesOf({ repository }: Job, call: Call<Env>): Promise<TrustRow[]> {
  const [owner = ''] = repository.toLowerCase().split('/')
  const ofOwner = sql`lower(split_part(${trusts.repository}, '/', 1)) = ${owner}`
  return database(call).select().from(trusts).where(ofOwner).orderBy(asc(trusts.createdAt), asc(trusts.id)).limit(1_000)
}

function spend(job: Job, { rules }: Allowance, now: Date) {
  const lists = [rules.map(({ id }) => id), rules.map((rule) => pinOf(rule, job))].map((list) => JSON.stringify(list))
  const list = (parameter: string) => `array(select jsonb_array_elements_text(${parameter}::jsonb))`
  return {
    sql: `select auth.spend_token($1, $2::timestamptz, ${list('$3')}, ${list('$4')}, $5::timestamptz)`,
    params: [job.tokenId, job.expiresAt.toISOString(), ...lists, now.toISOString()],
  }
}

function audit({ job, allowance, sub }: { job: Job; allowance: Allowance; sub: string }, call: Call<Env>, at: Date) {
  const { tenant, permissions, rules } = allowance
  const { repository, branch = null, environment = null, run } = job
  const detail = { repository, branch, environment, run, permissions, rules: rules.map(({ id }) => id) }
  return appendAudit(call, { actor: sub, action: 'auth.exchangeToken', subject: sub, tenant, detail }, at.toISOString())
}

function described({ repository, branch, environment }: Job): string {
  return `${repository} ${branch === undefined ? 'without a branch' : `on ${branch}`}${environment === undefined ? '' : ` in the environment ${environment}`}`
}

function shown({ pinnedId: _pinned, ...row }: TrustRow) {
  return { ...row, createdAt: iso(row.createdAt), lastUsedAt: row.lastUsedAt === null ? null : iso(row.lastUsedAt) }
}

function ofTenant({ principal }: Call<Env>) {
  return allows(principal.permissions, '*') ? undefined : eq(trusts.tenant, principal.tenant)
}

function tenantFor(asked: string | undefined, { principal }: Call<Env>): string {
  if (asked === undefined || asked === principal.tenant || allows(principal.permissions, '*')) return asked ?? principal.tenant
  throw new ServiceError('NOT_FOUND', `No tenant ${asked}`, { details: [{ path: 'tenant', message: 'is not there' }] })
}

function olderThan(cursor: string) {
  const [at, id] = placeInList(cursor)
  return sql`(${trusts.createdAt}, ${trusts.id}) < (${at}::timestamptz, ${id})`
}

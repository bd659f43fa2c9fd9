import type { Deployment } from '@dot-do/worker-contracts/deployment'
import { batch, database, type Buildable } from '@dot-do/worker-data/database'
import { commit } from '@dot-do/worker-data/ledger'
import type { Call } from '@dot-do/worker-kernel/call'
import { generateId, log, toServiceError } from '@dot-do/worker-utils'
import { and, eq } from 'drizzle-orm'
import type * as z from 'zod'
import { auditing, type Deed } from './audit.ts'
import type { Env } from './env.ts'
import { urlOf, type Place } from './places.ts'
import { deployments, SCHEMA } from './tables.ts'

/** A row of the table of deployments; the database adds its place in the order of attempts. */
export type DeploymentRow = Omit<typeof deployments.$inferSelect, 'sequence'>

/** An attempt under way. Once it is stored, its failure is stored too; once it is activated it has had its effect, and no failure is said of it. */
export interface Attempt {
  row: DeploymentRow
  stage: 'begun' | 'stored' | 'activated'
}

type Told = Pick<DeploymentRow, 'action'> & Partial<Pick<DeploymentRow, 'tier' | 'metadata'>>

/** How long an attempt may stay pending before it counts as interrupted. */
const PENDING_MS = 600_000

/** Runs an attempt, and tells the audit log how it ended. */
export function attempting<Answer>(place: Place, told: Told, { call, run }: { call: Call<Env>; run: (attempt: Attempt) => Promise<Answer> }): Promise<Answer> {
  const { tenant, service, environment } = place
  const none = { tier: null, version: null, formerVersion: null, finishedAt: null, error: null, metadata: {} }
  const made = { id: generateId('dep'), status: 'pending' as const, actor: call.principal.id, createdAt: new Date().toISOString() }
  const attempt: Attempt = { row: { ...none, ...made, tenant, service, environment, ...told }, stage: 'begun' }
  return auditing(
    call,
    () => deedOf(attempt.row),
    async () => {
      try {
        return await run(attempt)
      } catch (thrown) {
        await storeFailure(attempt, toServiceError(thrown).message, call)
        throw thrown
      }
    },
  )
}

/** Stores an attempt as begun. An earlier one for the same version that is still pending was interrupted, and this is its repetition. */
export async function storePending(attempt: Attempt, call: Call<Env>): Promise<void> {
  const { row } = attempt
  const { tenant, service, environment } = deployments
  const same = and(eq(tenant, row.tenant), eq(service, row.service), eq(environment, row.environment), eq(deployments.version, row.version ?? 0))
  const over = { status: 'failed' as const, finishedAt: row.createdAt, error: `Interrupted; ${row.id} repeats it` }
  await batch(call, [
    database(call)
      .update(deployments)
      .set(over)
      .where(and(same, eq(deployments.status, 'pending'))),
    database(call).insert(deployments).values(row),
  ])
  attempt.stage = 'stored'
}

/** Ends an attempt that succeeded: its row, and for a keyed call the answer that `answerOf` makes of it, in one transaction. */
export async function finish<Answer extends object>(
  attempt: Attempt,
  end: Pick<DeploymentRow, 'status' | 'version' | 'formerVersion'>,
  { call, answerOf, statements = [] }: { call: Call<Env>; answerOf: (deployment: z.input<typeof Deployment>) => Answer; statements?: Buildable[] },
): Promise<Answer> {
  const changed = { ...end, finishedAt: new Date().toISOString(), error: null }
  Object.assign(attempt.row, changed)
  const answer = answerOf(shown(attempt.row, call.env.HOST_SUFFIX, new Date()))
  const ended = database(call).insert(deployments).values(attempt.row).onConflictDoUpdate({ target: deployments.id, set: changed })
  await commit(call, SCHEMA, { statements: [...statements, ended], answer })
  return answer
}

/** A deployment as it is shown. One that has been pending for too long was interrupted, and nobody is left to say so in its row. */
export function shown(row: DeploymentRow, hostSuffix: string, now: Date): z.input<typeof Deployment> {
  const { createdAt, finishedAt, version } = row
  const { id, tier, action, actor, metadata, formerVersion, status, error, ...place } = row
  const isInterrupted = status === 'pending' && now.getTime() - new Date(createdAt).getTime() > PENDING_MS
  return {
    id,
    tenant: place.tenant,
    service: place.service,
    environment: place.environment,
    tier,
    action,
    status: isInterrupted ? 'failed' : status,
    version,
    formerVersion,
    url: urlOf(place, hostSuffix),
    previewUrl: version === null ? null : urlOf(place, hostSuffix, version),
    metadata,
    actor,
    createdAt: iso(createdAt),
    finishedAt: finishedAt === null ? null : iso(finishedAt),
    error: isInterrupted ? 'Interrupted; repeat it' : error,
  }
}

/** PostgreSQL's text of a time in the wire's form. */
export function iso(time: string): string {
  return new Date(time).toISOString()
}

function deedOf({ id: deployment, action, tenant, service, environment, version, metadata }: DeploymentRow): Deed {
  const { commit: revision, branch, message } = metadata
  const from = { ...(revision !== undefined && { commit: revision }), ...(branch !== undefined && { branch }), ...(message !== undefined && { message }) }
  return { action: `deploy.${action}`, subject: service, tenant, detail: { deployment, environment, version, ...from } }
}

/** What was activated is live, though its answer could not be stored with it: then another call with the same key has answered. */
async function storeFailure({ row, stage }: Attempt, error: string, call: Call<Env>): Promise<void> {
  const { id, status, formerVersion } = row
  if (stage === 'begun' || (stage === 'activated' && status === 'pending')) return
  const finishedAt = new Date().toISOString()
  const end = stage === 'stored' ? { status: 'failed' as const, finishedAt, error } : { status, formerVersion, finishedAt }
  try {
    await database(call).update(deployments).set(end).where(eq(deployments.id, id))
  } catch (cause) {
    log('warn', 'failure_not_stored', { deployment: id, requestId: call.requestId, cause })
  }
}

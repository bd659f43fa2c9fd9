import type { Call } from '@dot-do/worker-kernel/call'
import { namespaceFor, ServiceError } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import { askFunction } from '../functions.ts'
import type { Woken } from '../hint.ts'
import { shown } from '../job-row.ts'
import { checkJob } from '../job-check.ts'
import type { Operations } from '../operations.ts'
import { tellForgottenOrigins } from '../origins.ts'
import { keepPayload } from '../payloads.ts'
import { shownJobOf } from '../reading.ts'
import { typeSettings } from '../type-settings.ts'
import { wakeLanes } from '../waking.ts'

export const cancelJob: Operations['cancelJob'] = async ({ id }, call) => {
  const { origin } = await shownJobOf(id, call)
  const { next } = (await askFunction('cancel', [id, new Date().toISOString()], call)) as { next: Woken[] } // as migrations/0002_running.sql has it
  wakeLanes(next, call)
  if (origin !== null) call.waitUntil(tellForgottenOrigins(call))
  return summaryOf(id, call)
}

export const retryJob: Operations['retryJob'] = async ({ id, payload, priority }, call) => {
  const { type, state } = await shownJobOf(id, call)
  if (state === 'running' || state === 'completed') throw notAgain(state)
  if (payload !== undefined) checkJob({ type, payload }, '', call)
  const kept = payload === undefined ? undefined : await keepPayload(id, payload, call.env)
  // What somebody else is to do in one's own words is done with one's own authority.
  const { id: principal_id, kind: principal_kind, tenant: principal_tenant } = call.principal
  const edited = kept && { payload: kept.inline, payload_key: kept.key, payload_bytes: kept.bytes, principal_id, principal_kind, principal_tenant }
  const changes = { id, priority, ...edited }
  const answer = await askFunction('again', [JSON.stringify([changes]), new Date().toISOString()], call)
  const { again, next } = answer as { again: string[]; next: Woken[] } // as migrations/0002_running.sql has it
  if (!again.includes(id)) throw notAgain('on its way')
  wakeLanes(next, call)
  return summaryOf(id, call)
}

export const redrive: Operations['redrive'] = async ({ ids, limit, ...wanted }, call) => {
  const ns = namespaceFor(call.principal, wanted.ns)
  const filter = { ns, ids, type: wanted.type, group: wanted.group, errorCode: wanted.errorCode, diedAfter: wanted.diedAfter, diedBefore: wanted.diedBefore }
  const answer = await askFunction('redrive', [JSON.stringify(filter), limit, new Date().toISOString()], call)
  const { again, next, remaining } = answer as { again: string[]; next: Woken[]; remaining: number } // as migrations/0002_running.sql has it
  wakeLanes(next, call)
  return { redriven: again.length, remaining }
}

function notAgain(state: string): ServiceError {
  return new ServiceError('CONFLICT', `The job is ${state}; only one that waits, is dead or was cancelled can be run again`)
}

async function summaryOf(id: string, call: Call<Env>) {
  const [row, settings] = await Promise.all([shownJobOf(id, call), typeSettings(call)])
  return shown(row, settings.get(row.type))
}

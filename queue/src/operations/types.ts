import { JOB_ALIASES, JOB_TARGETS, jobTarget, type JobTarget } from '@dot-do/worker-contracts/job-types'
import { ServiceError } from '@dot-do/worker-utils'
import { askFunction } from '../functions.ts'
import type { Woken } from '../hint.ts'
import type { Operations } from '../operations.ts'
import { forgetSettings, readSettings, type TypeRow } from '../type-settings.ts'
import { wakeLanes } from '../waking.ts'

/** What a type is run like that nobody settled. */
const UNSETTLED = { maxAttempts: null, backoffSeconds: null, ratePerMinute: null, concurrency: null }

export const listTypes: Operations['listTypes'] = async (_input, call) => {
  const settings = await readSettings(call)
  return { items: [...JOB_TARGETS.values()].map((target) => shownType(target, settings)) }
}

export const updateType: Operations['updateType'] = async ({ type: asked, ...changes }, call) => {
  const target = jobTarget(asked)
  if (!target) throw new ServiceError('NOT_FOUND', `No type ${asked}; GET /types tells which there are`)
  const { type } = target
  const waiting = await askFunction('settle_type', [type, JSON.stringify(changes), new Date().toISOString()], call)
  forgetSettings()
  wakeLanes(waiting as Woken[], call) // as migrations/0002_running.sql has it
  return shownType(target, await readSettings(call))
}

function shownType({ type, operation: { summary, permission } }: JobTarget, settings: ReadonlyMap<string, TypeRow>) {
  const { maxAttempts, backoffSeconds, ratePerMinute, concurrency } = settings.get(type) ?? UNSETTLED
  const aliases = Object.entries(JOB_ALIASES).flatMap(([alias, meant]) => (meant === type ? [alias] : []))
  return { type, aliases, summary, permission, settings: { maxAttempts, backoffSeconds, ratePerMinute, concurrency } }
}

import { generateId, namespaceFor, ServiceError } from '@dot-do/worker-utils'
import { selectRows } from '../analytics/clickhouse.ts'
import { dividedByHours } from '../analytics/hours.ts'
import { piecesOf } from '../analytics/pieces.ts'
import { clickHouseTime, readsHours, REFUSALS, reportQuery, reportRow } from '../analytics/reports.ts'
import type { Operations } from '../operations.ts'
import { pieceOf, spoolOf } from '../analytics/tracking.ts'

export const track: Operations['track'] = async ({ ns, events }, { env, principal, entry }) => {
  const id = generateId('evb')
  const answer = { accepted: events.length, id }
  const pieces = piecesOf(events, { batch: id.replace('evb_', 'evt_'), ns: namespaceFor(principal, ns), principal: principal.id, at: Date.now() })
  await spoolOf(env).append(pieces, entry && { principal: entry.principal, key: entry.key, inputHash: entry.inputHash, answer: JSON.stringify(answer) })
  if (entry) entry.committed = true
  return answer
}

export const trackLines: Operations['trackLines'] = async (input, { env }) => {
  await spoolOf(env).append([pieceOf(input)])
  return { accepted: input.events }
}

const DAY_MS = 86_400_000

export const analyze: Operations['analyze'] = async ({ report, ns, from, to, ...extent }, { env, principal }) => {
  const end = to ?? new Date().toISOString()
  const start = from ?? new Date(Date.parse(end) - DAY_MS).toISOString()
  if (Date.parse(start) >= Date.parse(end)) {
    throw new ServiceError('INVALID', 'The input does not fit', { details: [{ path: 'from', message: 'must be before to' }] })
  }
  const asked = { ns: namespaceFor(principal, ns), from: start, to: end, ...extent }
  const divided = readsHours(report, asked) ? await dividedByHours([Date.parse(start), Date.parse(end)], env) : undefined
  const { sql, parameters } = reportQuery(report, asked, divided)
  const rows = await selectRows(sql, parameters, env)
  return { report, from: start, to: end, rows: rows.map(reportRow) }
}

export const listRefusals: Operations['listRefusals'] = async ({ from, to, ...limits }, { env }) => {
  const rows = await selectRows(REFUSALS, { from: clickHouseTime(from), to: clickHouseTime(to), ...limits }, env)
  return { items: rows.map(({ principal, refused }) => ({ principal: String(principal), refused: Number(refused) })) }
}

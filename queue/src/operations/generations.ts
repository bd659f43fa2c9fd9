import { batch } from '@dot-do/worker-data/database'
import { commit } from '@dot-do/worker-data/ledger'
import { generateId, namespaceFor, pageOf, ServiceError } from '@dot-do/worker-utils'
import { findGeneration, generationsOf, keep, placeOf, removeUpTo, shownGeneration } from '../generations.ts'
import type { Operations } from '../operations.ts'
import { SCHEMA } from '../tables.ts'
import { writeText } from '../text-model.ts'

const DAY_MS = 86_400_000

export const generate: Operations['generate'] = async ({ ns: asked, prompt, model, maxTokens }, call) => {
  const ns = namespaceFor(call.principal, asked)
  const text = await writeText({ model, prompt, maxTokens }, call.env)
  const row = { id: generateId('gen'), ns, prompt, model, text, createdBy: call.principal.id, createdAt: new Date().toISOString() }
  await commit(call, SCHEMA, { statements: [keep(row, call)], answer: row })
  return row
}

export const getGeneration: Operations['getGeneration'] = async ({ id }, call) => {
  const row = await findGeneration(id, call)
  if (!row) throw new ServiceError('NOT_FOUND', `No generation ${id}`)
  return shownGeneration(row)
}

export const listGenerations: Operations['listGenerations'] = async ({ ns, limit, cursor }, call) => {
  const found = await generationsOf(namespaceFor(call.principal, ns), { limit, cursor }, call)
  const { items, nextCursor } = pageOf(found, limit, placeOf)
  return { items: items.map(shownGeneration), nextCursor }
}

export const cleanUpGenerations: Operations['cleanUpGenerations'] = async ({ olderThanDays }, call) => {
  const [removed] = await batch(call, [removeUpTo(new Date(Date.now() - olderThanDays * DAY_MS))])
  return { removed: Number(removed?.rows[0]?.[0]) }
}

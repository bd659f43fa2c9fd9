import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { evaluateSearch, missingSections } from '../../bench/search/evaluation.ts'
import { as } from './as.ts'
import { startDb, type DbInProcess } from './in-process.ts'

const ROOT = resolve(import.meta.dirname, '../..')

let running: DbInProcess

beforeAll(async () => {
  running = await startDb(['db'])
  await running.database.reset()
})
afterAll(() => running.close())

describe('questions about this repository', () => {
  it('name sections that are there; where a heading was changed, bench/search/questions.json follows', () => {
    expect(missingSections(ROOT)).toEqual([])
  })

  it('are answered within the first ten sections found, nearly always by both parts together', { timeout: 60_000 }, async () => {
    const { fullText, vector, hybrid } = await evaluateSearch(ROOT, as(running, 'default', ['things:read', 'things:write', 'db:maintain']))

    expect(hybrid.recallAt10).toBeGreaterThanOrEqual(0.93)
    expect(hybrid.meanReciprocalRank).toBeGreaterThanOrEqual(0.72)
    expect(vector.recallAt10).toBeGreaterThanOrEqual(0.85)
    expect(vector.meanReciprocalRank).toBeGreaterThanOrEqual(0.6)
    expect(fullText.recallAt10).toBeGreaterThanOrEqual(0.45)
  })
})

import { hashedEmbedding } from '../../db/src/embedder.ts'
import { latencyOf, type Latency } from '../statistics.ts'
import { openFullDatabase, vocabulary, type FullDatabase } from './database.ts'
import { MODES, type Mode, type SearchFigures } from './figures.ts'
import { syntheticQuestions } from './synthetic.ts'

const THINGS = 100_000
const WARM_UP = 20
const SEARCHES = 200
const COMPARED = 100

/** Searches among 100,000 synthetic things. */
export async function searchAmongMany(root: string): Promise<SearchFigures> {
  const database = await openFullDatabase(root, THINGS)
  try {
    const questions = syntheticQuestions(await vocabulary(), SEARCHES)
    const latency = await measureLatency(database, questions)
    return { things: THINGS, latency, recallAt10: await measureRecall(database, questions.slice(0, COMPARED)) }
  } finally {
    await database.close()
  }
}

async function measureLatency({ db }: FullDatabase, questions: readonly string[]): Promise<Record<Mode, Latency>> {
  const times: Record<Mode, number[]> = { fullText: [], vector: [], hybrid: [] }
  for (const [index, q] of [...questions.slice(0, WARM_UP), ...questions].entries()) {
    for (const mode of MODES) {
      const start = performance.now()
      await db.search({ q, mode })
      if (index >= WARM_UP) times[mode].push(performance.now() - start)
    }
  }
  return { fullText: latencyOf(times.fullText), vector: latencyOf(times.vector), hybrid: latencyOf(times.hybrid) }
}

/** The index against comparing with every embedding there is. */
async function measureRecall({ db, engine }: FullDatabase, questions: readonly string[]): Promise<number> {
  let [found, all] = [0, 0]
  for (const q of questions) {
    const embedding = hashedEmbedding(q)
    if (!embedding) continue
    const { items } = await db.search({ embedding, limit: 10 })
    const [, nearest] = await engine.batch(null, [
      { sql: 'set local enable_indexscan = off', params: [] },
      { sql: 'select id from db.embeddings order by embedding <=> $1::extensions.vector limit 10', params: [`[${embedding.join(',')}]`] },
    ])
    const ids = new Set(items.map(({ thing }) => thing.$id))
    all += nearest?.rows.length ?? 0
    found += nearest?.rows.filter(([id]) => ids.has(id ?? '')).length ?? 0
  }
  return found / all
}

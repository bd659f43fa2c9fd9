import type { Db } from '../../packages/contracts/src/db.ts'
import { sections } from './corpus.ts'
import { MODES, type Mode } from './figures.ts'
import questions from './questions.json' with { type: 'json' }

/** How well one mode finds what answers a question. */
export interface Quality {
  /** The share of questions of which a section that answers them is among the first ten. */
  recallAt10: number
  /** The mean of one over the place of the first section that answers; 1 if it is always the first (mean reciprocal rank). */
  meanReciprocalRank: number
}

/** The operations that evaluating takes. */
export type Searchable = Pick<Db, 'import' | 'generateMissingEmbeddings' | 'search'>

const PART = 100

/** Loads this repository's documentation into a database, a section a thing, and asks it every question of `questions.json` in every mode. */
export async function evaluateSearch(root: string, db: Searchable): Promise<Record<Mode, Quality>> {
  await load(root, db)
  const qualities = MODES.map(async (mode) => [mode, await qualityOf(mode, db)] as const)
  return Object.fromEntries(await Promise.all(qualities)) as Record<Mode, Quality> // an entry for each mode
}

/** Which sections the questions name that are not in the documentation any more: a heading was changed, and the question has to follow. */
export function missingSections(root: string): string[] {
  const known = new Set(sections(root).map(({ id }) => id))
  return questions.flatMap(({ answers }) => answers.filter((id) => !known.has(id)))
}

async function load(root: string, db: Searchable): Promise<void> {
  const lines = sections(root).map(({ id, title, content }) => ({ $id: id, $type: 'Section', content, data: { title } }))
  for (let first = 0; first < lines.length; first += PART) await db.import({ lines: lines.slice(first, first + PART) })
  for (let missing = 1; missing > 0;) ({ missing } = await db.generateMissingEmbeddings({}))
}

async function qualityOf(mode: Mode, db: Searchable): Promise<Quality> {
  const places: number[] = []
  for (const { question, answers } of questions) {
    const { items } = await db.search({ q: question, mode, limit: 10 })
    places.push(items.findIndex(({ thing }) => answers.includes(thing.$id)) + 1)
  }
  const found = places.filter((place) => place > 0)
  return {
    recallAt10: found.length / places.length,
    meanReciprocalRank: found.reduce((sum, place) => sum + 1 / place, 0) / places.length,
  }
}

import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Rows that lie together, by the inserts they come from: `all_3_7_1` has those from the third to the seventh. */
interface Part {
  partition: string
  first: number
  last: number
}

/** `partition_first_last_level` and, once rows were changed, `_mutation`. A part that is being written has a name before that. */
const PART = /^([^_]+)_(\d+)_(\d+)_\d+(?:_\d+)?$/

/** One line of a log: 1 for a token that came, 2 for one that is forgotten; the part its rows are in; the token, hashed. */
const RECORD = /^([12])\t([^\t]+)\t[^\t]+$/

/**
 * Makes every table forget the tokens of inserts that a kill cut off. The engine notes a token before it puts the rows in place, so one that was killed between the two
 * would take the rows for written when they come again. Rows that were acknowledged are in a part, of their own or one that it was merged into, and their tokens stay.
 * To be called before the engine opens the directory, which gives the numbers of lost parts to others.
 */
export async function forgetLostTokens(dataDir: string): Promise<void> {
  const store = join(dataDir, 'store')
  for (const prefix of await readdir(store).catch(() => [])) {
    for (const table of await readdir(join(store, prefix))) await forgetInTable(join(store, prefix, table))
  }
}

async function forgetInTable(table: string): Promise<void> {
  const logs = join(table, 'deduplication_logs')
  const files = await readdir(logs).catch(() => [])
  if (files.length === 0) return
  const parts = (await readdir(table)).flatMap((name) => partOf(name) ?? [])
  for (const file of files) {
    const text = await readFile(join(logs, file), 'utf8')
    const kept = keptRecords(text, parts)
    if (kept === text) continue
    // The engine reads the number of a log out of every name there, so the draft lies elsewhere.
    const draft = join(table, `tmp_${file}`)
    await writeFile(draft, kept)
    await rename(draft, join(logs, file))
  }
}

/** A log without what came to no part, and without a last line that was cut. */
export function keptRecords(text: string, parts: readonly Part[]): string {
  const lines = text.split('\n').slice(0, -1)
  const isKept = (line: string): boolean => {
    const [, operation, name] = RECORD.exec(line) ?? []
    const part = name === undefined ? undefined : partOf(name)
    return part !== undefined && (operation === '2' || parts.some((other) => covers(other, part)))
  }
  return lines
    .filter(isKept)
    .map((line) => `${line}\n`)
    .join('')
}

function partOf(name: string): Part | undefined {
  const [, partition, first, last] = PART.exec(name) ?? []
  return partition === undefined ? undefined : { partition, first: Number(first), last: Number(last) }
}

const covers = (other: Part, part: Part): boolean => other.partition === part.partition && other.first <= part.first && part.last <= other.last

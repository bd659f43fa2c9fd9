import { createHash, randomUUID } from 'node:crypto'
import type { ExportedLine } from '@dot-do/worker-contracts/ndjson'
import { MAX_LINES } from '../../db/src/import-lines.ts'
import type { Api } from './api.ts'
import { CommandError } from './command.ts'
import type { Source } from './tree.ts'

/** What was imported. */
export interface Imported {
  things: number
  relationships: number
  /** How many of both were not there or not so. */
  changed: number
}

/** How an import is watched and ended. */
export interface Watched {
  signal: AbortSignal
  onProgress(done: number): void
}

/** A request may have 4 MiB; a part stays well below. */
const PART_BYTES = 2 * 1024 * 1024

/** A part of an import: its lines as text. */
interface Part {
  lines: string[]
  sizeBytes: number
}

/** Reads all there is to import before any of it is written: a file that is cut, a line that does not fit, a thing that is there twice are known by then. */
export async function checkSource(source: Source, { signal, onProgress }: Watched): Promise<{ things: number; relationships: number; sha256: string }> {
  const hash = createHash('sha256')
  const places = new Map<string, string>()
  const counts = { things: 0, relationships: 0 }
  for await (const { line, where } of source.read()) {
    signal.throwIfAborted()
    hash.update(JSON.stringify(line)).update('\n')
    counts['$type' in line ? 'things' : 'relationships'] += 1
    if ('$type' in line) {
      const before = places.get(line.$id)
      if (before !== undefined) throw new CommandError(`${where}: ${line.$id} is there twice, before in ${before}`)
      places.set(line.$id, where)
    }
    onProgress(counts.things + counts.relationships)
  }
  return { ...counts, sha256: hash.digest('hex') }
}

/**
 * Sends everything in parts, things before relationships. Each part is written all or none, and once, however often it is sent. An import that was interrupted is repeated from
 * its beginning: what is there already changes nothing.
 */
export async function importSource(
  source: Source,
  api: Api,
  { ns, sha256, ...watched }: Watched & { ns: string | undefined; sha256: string },
): Promise<Imported> {
  const run = `${sha256.slice(0, 32)}-${randomUUID()}`
  const imported: Imported = { things: 0, relationships: 0, changed: 0 }
  let number = 0
  for (const isWanted of [isThing, isRelationship]) {
    for await (const { lines } of parts(source, isWanted)) {
      const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': `import-${run}-${number++}` }
      const path = `/db/import.ndjson${ns === undefined ? '' : `?ns=${encodeURIComponent(ns)}`}`
      const done = imported.things + imported.relationships
      const answer = await api.ask(path, { body: lines.join(''), headers }).catch((error: unknown) => {
        throw new CommandError(`${error instanceof Error ? error.message : String(error)}\n${done} lines are written; run the same again for the rest`, {
          cause: error,
        })
      })
      const { data } = (await answer.json()) as { data: Imported } // the contract's output of `import`
      imported.things += data.things
      imported.relationships += data.relationships
      imported.changed += data.changed
      watched.onProgress(imported.things + imported.relationships)
    }
  }
  return imported
}

const isThing = (line: ExportedLine): boolean => '$type' in line
const isRelationship = (line: ExportedLine): boolean => !isThing(line)

async function* parts(source: Source, isWanted: (line: ExportedLine) => boolean): AsyncGenerator<Part> {
  let part: Part = { lines: [], sizeBytes: 0 }
  for await (const { line } of source.read()) {
    if (!isWanted(line)) continue
    const text = `${JSON.stringify(line)}\n`
    const sizeBytes = Buffer.byteLength(text)
    if (part.lines.length === MAX_LINES || (part.lines.length > 0 && part.sizeBytes + sizeBytes > PART_BYTES)) {
      yield part
      part = { lines: [], sizeBytes: 0 }
    }
    part.lines.push(text)
    part.sizeBytes += sizeBytes
  }
  if (part.lines.length > 0) yield part
}

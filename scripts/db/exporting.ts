import { createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ExportedLine } from '@dot-do/worker-contracts/ndjson'
import { linesOf } from '@dot-do/worker-utils/ndjson'
import { printThing, type WrittenThing } from '@dot-do/worker-utils/thing-mdx'
import { LineReader, MAX_LINE_BYTES, type Counts } from '../../db/src/import-lines.ts'
import { CommandError } from './command.ts'
import { Places, RELATIONSHIPS } from './tree.ts'

type Body = AsyncIterable<Uint8Array>

/** Writes an export as it came into a file, which has its name once it is whole. A file that is there is left alone. */
export async function exportToFile(body: Body, file: string, onProgress: (done: number) => void): Promise<Counts> {
  await demandFree(file)
  const draft = `${file}.partial`
  let counts: Counts = { things: 0, relationships: 0 }
  async function* texts(): AsyncGenerator<string> {
    counts = yield* exported(body, ({ text }) => `${text}\n`, onProgress)
  }
  try {
    await pipeline(Readable.from(texts()), createWriteStream(draft, { flush: true }))
    await demandFree(file)
    await rename(draft, file)
    return counts
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** Writes an export as a tree of MDX, a file for each thing, into a folder that is not there or empty; it has its name once all of it is there. */
export async function exportToTree(body: Body, folder: string, onProgress: (done: number) => void): Promise<Counts> {
  await demandFree(folder)
  const draft = `${folder.replace(/\/+$/, '')}.partial`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  try {
    const counts = await writeTree(body, draft, onProgress)
    await demandFree(folder)
    await rename(draft, folder)
    return counts
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function writeTree(body: Body, folder: string, onProgress: (done: number) => void): Promise<Counts> {
  const places = new Places()
  let counts: Counts = { things: 0, relationships: 0 }
  async function* relationships(): AsyncGenerator<string> {
    const lines = exported(body, ({ line, text }) => ({ line, text }), onProgress)
    yield `${JSON.stringify({ $export: {} })}\n`
    for (let next = await lines.next(); ; next = await lines.next()) {
      if (next.done) {
        counts = next.value
        break
      }
      const { line, text } = next.value
      if (line === undefined) continue
      if (!('$type' in line)) yield `${text}\n`
      else await writeThing(folder, places.placeOf(line.$id), line as WrittenThing) // its data came out of JSON
    }
    yield `${JSON.stringify({ $end: { things: 0, relationships: counts.relationships } })}\n`
  }
  await pipeline(Readable.from(relationships()), createWriteStream(join(folder, RELATIONSHIPS), { flush: true }))
  if (counts.relationships === 0) await rm(join(folder, RELATIONSHIPS))
  return counts
}

async function writeThing(folder: string, place: string, thing: WrittenThing): Promise<void> {
  const file = join(folder, `${place}.mdx`)
  await mkdir(dirname(file), { recursive: true })
  // Two things of one place would be a fault of ours; neither may vanish for it.
  await writeFile(file, printThing(thing, place), { flag: 'wx' })
}

/** What the lines of an export are made into, one by one; it counts them at the end. Fails for an export that is cut off. */
async function* exported<Made>(
  body: Body,
  make: (at: { line: ExportedLine | undefined; text: string }) => Made,
  onProgress: (done: number) => void,
): AsyncGenerator<Made, Counts> {
  const reader = new LineReader()
  for await (const text of linesOf(body, MAX_LINE_BYTES)) {
    yield make({ line: reader.take(text), text })
    onProgress(reader.counts.things + reader.counts.relationships)
  }
  reader.end()
  if (!reader.isWhole) throw new CommandError('The platform answered with no export')
  return reader.counts
}

/** Fails when something is there already; an empty folder is as good as none. */
async function demandFree(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found || (found.isDirectory() && (await readdir(path)).length === 0)) return
  throw new CommandError(`${path} is there already`)
}

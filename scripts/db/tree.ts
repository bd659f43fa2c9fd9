import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { validateLine, type ExportedLine } from '@dot-do/worker-contracts/ndjson'
import { linesOf } from '@dot-do/worker-utils/ndjson'
import { parseThing } from '@dot-do/worker-utils/thing-mdx'
import { LineReader, MAX_LINE_BYTES } from '../../db/src/import-lines.ts'
import { CommandError } from './command.ts'

/** Where the relationships of a tree lie. */
export const RELATIONSHIPS = 'relationships.ndjson'

/** Something to import: each thing and relationship with where it stands, as often as it is asked for. */
export interface Source {
  read(): AsyncGenerator<{ line: ExportedLine; where: string }>
}

/** What a path holds: a file of lines, or a folder of MDX. */
export async function sourceOf(path: string): Promise<Source> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new CommandError(`${path} is not there`) : error
  })
  if (found.isDirectory()) return { read: () => treeLines(path) }
  return { read: () => fileLines(path) }
}

async function* fileLines(file: string): AsyncGenerator<{ line: ExportedLine; where: string }> {
  const reader = new LineReader()
  try {
    for await (const text of linesOf(createReadStream(file), MAX_LINE_BYTES)) {
      const line = reader.take(text)
      if (line) yield { line, where: `${file}:${reader.number}` }
    }
    reader.end()
  } catch (error) {
    throw located(file, error)
  }
}

/** Things by the paths of their files, then the relationships. */
async function* treeLines(root: string): AsyncGenerator<{ line: ExportedLine; where: string }> {
  for await (const path of pathsUnder(root, '')) {
    if (path.endsWith('.mdx')) yield { line: await thingIn(root, path), where: join(root, path) }
  }
  const file = join(root, RELATIONSHIPS)
  if (!(await lstat(file).catch(() => undefined))) return
  for await (const { line, where } of fileLines(file)) {
    if ('$type' in line) throw new CommandError(`${where}: a thing of a tree is a file of its own, ${line.$id}.mdx`)
    yield { line, where }
  }
}

/** The files of a tree in the order of their names. Hidden ones are nobody's things; a link might lead out of the tree, so it is refused. */
async function* pathsUnder(root: string, folder: string): AsyncGenerator<string> {
  const entries = await readdir(join(root, folder), { withFileTypes: true })
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.name.startsWith('.')) continue
    if (entry.isSymbolicLink()) throw new CommandError(`${join(root, path)} is a symbolic link; a tree has files only`)
    if (entry.isDirectory()) yield* pathsUnder(root, path)
    else yield path
  }
}

async function thingIn(root: string, path: string): Promise<ExportedLine> {
  const file = join(root, path)
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(file))
    const validation = validateLine(parseThing(text, path.replace(/\.mdx$/, '')))
    if (validation.success) return validation.data
    throw new CommandError(validation.details.map((detail) => `${detail.path}: ${detail.message}`).join('; '))
  } catch (error) {
    throw located(file, error instanceof TypeError ? new CommandError('is not UTF-8') : error)
  }
}

function located(file: string, error: unknown): CommandError {
  return new CommandError(`${file}: ${error instanceof Error ? error.message : String(error)}${detailsOf(error)}`, { cause: error })
}

function detailsOf(error: unknown): string {
  const details = typeof error === 'object' && error !== null && 'details' in error && Array.isArray(error.details) ? error.details : []
  const [first] = details as { path?: string; message?: string }[]
  return first?.path !== undefined && error instanceof Error && !error.message.includes(first.message ?? '') ? ` (${first.path}: ${first.message})` : ''
}

/** A path that is taken, so that no two things share a file, nor a thing a folder's name, on a disk that does not tell `A` from `a`. */
type Taken = Map<string, 'file' | 'folder'>

/**
 * Says where each thing lies in a tree: `<id>.mdx`. An id that some file system would not have so, too long, hidden, of a name that Windows keeps, or the same as another but for
 * upper and lower case, lies under `_`, and its file tells it.
 */
export class Places {
  readonly #taken: Taken = new Map([[RELATIONSHIPS, 'file']])

  /** The place of a thing, without `.mdx`. */
  placeOf(id: string): string {
    if (isPlain(id) && this.#take(`${id}.mdx`)) return id
    const hash = createHash('sha256').update(id).digest('hex')
    for (let length = 16; length <= hash.length; length += 8) {
      const place = `_/${hash.slice(0, length)}`
      if (this.#take(`${place}.mdx`)) return place
    }
    throw new CommandError(`${id} has no place in a tree`)
  }

  #take(path: string): boolean {
    const segments = path.toLowerCase().split('/')
    const folders = segments.slice(0, -1).map((_, index) => segments.slice(0, index + 1).join('/'))
    const file = segments.join('/')
    if (this.#taken.has(file) || folders.some((folder) => this.#taken.get(folder) === 'file')) return false
    for (const folder of folders) this.#taken.set(folder, 'folder')
    this.#taken.set(file, 'file')
    return true
  }
}

/** Names that Windows keeps for devices, with whatever ending (https://learn.microsoft.com/windows/win32/fileio/naming-a-file). */
const DEVICES = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i

function isPlain(id: string): boolean {
  return (
    id.length <= 200 && id.split('/').every((segment) => segment.length <= 100 && !segment.startsWith('.') && !segment.endsWith('.') && !DEVICES.test(segment))
  )
}

import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { parse } from 'jsonc-parser'

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage'])

/** Every file under a root that people wrote, sorted; paths are relative, with forward slashes. Installed, built and hidden folders are left out. */
export async function filesUnder(root: string): Promise<string[]> {
  return (await walk(root)).map((path) => relative(root, path).split(sep).join('/')).sort()
}

async function walk(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const found = entries.map(async (entry) => {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) return entry.isFile() ? [path] : []
    return entry.name.startsWith('.') || NOT_OURS.has(entry.name) ? [] : walk(path)
  })
  return (await Promise.all(found)).flat()
}

/** The TypeScript files of a tree. What lies in a `fixtures` folder is input of a test, not code of the project. */
export async function codeUnder(root: string): Promise<string[]> {
  return (await filesUnder(root)).filter((file) => file.endsWith('.ts') && !file.split('/').includes('fixtures'))
}

/** The names of the services: the folders right under the root that hold a `wrangler.jsonc`. */
export async function serviceNames(root: string): Promise<string[]> {
  return (await filesUnder(root)).flatMap((file) => /^([^/]+)\/wrangler\.jsonc$/.exec(file)?.[1] ?? [])
}

/** The folders that are packages of the workspace; the root itself is not among them. */
export async function packageFolders(root: string): Promise<string[]> {
  return (await filesUnder(root)).flatMap((file) => /^((?:packages\/)?[^/]+)\/package\.json$/.exec(file)?.[1] ?? [])
}

/** The package a file lies in; undefined for files of the root itself. */
export function packageOf(file: string, folders: readonly string[]): string | undefined {
  return folders.find((folder) => file.startsWith(`${folder}/`))
}

/** Reads JSON that may have comments and trailing commas; an absent file is an empty object. */
export async function readJson<T>(root: string, file: string): Promise<T> {
  const text = await readFile(join(root, file), 'utf8').catch(() => '{}')
  return parse(text, [], { allowTrailingComma: true }) as T
}

/** The line that a text first stands in; the first line if it does not occur. */
export function lineOf(text: string, needle: string): number {
  return text.slice(0, Math.max(text.indexOf(needle), 0)).split('\n').length
}

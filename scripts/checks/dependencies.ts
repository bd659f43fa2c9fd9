import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeUnder, filesUnder, lineOf, packageFolders, packageOf, readJson } from './files.ts'
import type { Problem } from './problem.ts'
import { importsOf, readSource, visitNodes, type Source } from './syntax.ts'

/** The part of a package.json that is read. */
interface Manifest {
  name?: string
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

/** A package, what it declares and what its code names. */
interface Package {
  folder: string
  name: string | undefined
  declared: Set<string>
  sources: Source[]
}

/** Whatever a package imports it declares, and whatever it declares it uses: imports it, or names it or a program it brings in a string, as one does with tools. Tests may use what the root declares. */
export async function dependencies(root: string): Promise<Problem[]> {
  const folders = await packageFolders(root)
  const code = await codeUnder(root)
  const sources = await Promise.all(code.filter((file) => packageOf(file, folders)).map((file) => readSource(root, file)))
  const packages = await Promise.all(folders.map((folder) => readPackage(root, folder, sources)))
  const shared = declaredBy(await readJson<Manifest>(root, 'package.json'))
  const unused = await Promise.all(packages.map((folder) => unusedOf(root, folder)))
  return [...packages.flatMap((folder) => undeclaredBy(folder, shared)), ...unused.flat()]
}

async function readPackage(root: string, folder: string, sources: Source[]): Promise<Package> {
  const manifest = await readJson<Manifest>(root, `${folder}/package.json`)
  return { folder, name: manifest.name, declared: declaredBy(manifest), sources: sources.filter(({ file }) => file.startsWith(`${folder}/`)) }
}

function declaredBy({ dependencies, devDependencies, optionalDependencies }: Manifest): Set<string> {
  return new Set(Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies }))
}

function undeclaredBy({ folder, name: own, declared, sources }: Package, shared: Set<string>): Problem[] {
  return sources.flatMap((source) =>
    importsOf(source).flatMap(({ specifier, line }) => {
      const name = packageName(specifier)
      const isDeployed = source.file.startsWith(`${folder}/src/`)
      if (name === undefined || name === own || declared.has(name) || (shared.has(name) && !isDeployed)) return []
      return [{ file: source.file, line, message: `imports ${name}, which ${folder}/package.json does not declare` }]
    }),
  )
}

async function unusedOf(root: string, { folder, declared, sources }: Package): Promise<Problem[]> {
  const file = `${folder}/package.json`
  const text = await readFile(join(root, file), 'utf8')
  const named = new Set(sources.flatMap((source) => stringsOf(source)).flatMap((string) => packageName(string) ?? []))
  const configured = (await filesUnder(root)).some((path) => path.startsWith(`${folder}/`) && path.endsWith('.test.ts')) ? ['vitest'] : []
  const used = new Set([...named, ...configured])
  const programs = await Promise.all([...declared].map(async (name) => [name, await programsOf(root, `${folder}/node_modules/${name}`)] as const))
  const unused = programs.flatMap(([name, brought]) => ([name, name.replace('@types/', ''), ...brought].some((way) => used.has(way)) ? [] : [name]))
  return unused.map((name) => ({ file, line: lineOf(text, `"${name}"`), message: `declares ${name}, which nothing here uses` }))
}

/** The names a package's programs are called by; none where it is not installed. */
async function programsOf(root: string, folder: string): Promise<string[]> {
  const { name = '', bin = {} } = await readJson<{ name?: string; bin?: string | Record<string, string> }>(root, `${folder}/package.json`).catch(() => ({
    name: '',
    bin: {},
  }))
  return typeof bin === 'string' ? [name] : Object.keys(bin)
}

function stringsOf({ program }: Source): string[] {
  const strings: string[] = []
  visitNodes(program, ({ type, value }) => {
    if (type === 'Literal' && typeof value === 'string') strings.push(value)
  })
  return strings
}

/** `@a/b/c` is of package `@a/b`; paths and the runtime's own modules are of none. */
function packageName(specifier: string): string | undefined {
  return /^(?![.]|node:|cloudflare:)(@[^/\s]+\/[^/\s]+|[a-z][^/:\s]*)(\/|$)/.exec(specifier)?.[1]
}

import { isAbsolute, join, relative, sep } from 'node:path'
import { codeUnder, filesUnder } from './files.ts'
import { shownProblem, type Problem } from './problem.ts'
import { runTool } from './tools.ts'

/** How many compilers run at once. */
const LANES = 2

/** What one project's compiler said. */
export interface Compiled {
  /** The project's folder, relative to the root. */
  project: string
  problems: Problem[]
  /** The files of the tree that it looked at. */
  files: string[]
}

/** Every project compiles, and no TypeScript file of the tree belongs to none. */
export async function types(root: string): Promise<Problem[]> {
  const compiled = await compileAll(root)
  const seen = new Set(compiled.flatMap(({ files }) => files))
  const unseen = (await codeUnder(root)).filter((file) => !seen.has(file))
  // A file that two projects look at is reported once.
  const found = [...new Map(compiled.flatMap(({ problems }) => problems.map((problem) => [shownProblem(problem), problem]))).values()]
  return [...found, ...unseen.map((file) => ({ file, message: 'no tsconfig.json includes this file, so nothing checks its types' }))]
}

/** Runs the compiler over every folder with a `tsconfig.json`. */
export async function compileAll(root: string): Promise<Compiled[]> {
  const projects = (await filesUnder(root)).filter((file) => /(^|\/)tsconfig\.json$/.test(file) && !file.includes('/fixtures/'))
  const waiting = projects.map((file) => file.replace(/\/?tsconfig\.json$/, '') || '.')
  const compiled: Compiled[] = []
  async function lane(): Promise<void> {
    for (let project = waiting.shift(); project !== undefined; project = waiting.shift()) compiled.push(await compile(root, project))
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return compiled.sort((one, other) => (one.project < other.project ? -1 : 1))
}

async function compile(root: string, project: string): Promise<Compiled> {
  const { code, stdout } = await runTool('tsc', ['-p', project, '--pretty', 'false', '--listFiles'], root)
  const lines = stdout.split('\n').map((line) => line.trimEnd())
  const listed = lines.filter((line) => isAbsolute(line)).map((path) => relative(root, path).split(sep).join('/'))
  const files = listed.filter((file) => isOwn(project, file))
  const reported = lines.flatMap((line) => problemOf(line))
  const problems = reported.filter(({ file }) => isOwn(project, file))
  if (code !== 0 && reported.length === 0) problems.push({ file: join(project, 'tsconfig.json'), message: stdout.trim() })
  return { project, problems, files }
}

/** What is imported from a src folder elsewhere is judged by that folder's project, which knows where it runs. */
function isOwn(project: string, file: string): boolean {
  return !file.split('/').includes('src') || file.startsWith(`${project}/`)
}

/** `a/b.ts(3,5): error TS2322: …` */
function problemOf(line: string): Problem[] {
  const [, file, row, message] = /^(\S[^(]*)\((\d+),\d+\): error (TS\d+: .*)$/.exec(line) ?? []
  return file && row && message ? [{ file, line: Number(row), message }] : []
}

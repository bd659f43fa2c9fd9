import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandsOf, type Command } from './blocks.ts'
import { openShell, type Shell } from './shell.ts'

/** The repository's top folder. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Where a page's commands are run: the host and port, and the state directory, that they call `localhost:8787` and `./.local`. */
export interface Place {
  root: string
  host: string
  stateDir: string
}

/** The README, the pages of docs, and the README of every service and package. */
export function pages(): string[] {
  const docs = ['docs', 'docs/decisions'].flatMap((folder) => names(folder).map((name) => `${folder}/${name}`))
  const readmes = [...names('.'), ...names('packages').map((name) => `packages/${name}`)].map((folder) => `${folder}/README.md`)
  return ['README.md', 'AGENTS.md', ...docs.filter((file) => file.endsWith('.md')), ...readmes.filter((file) => existsSync(join(ROOT, file)))]
}

function names(folder: string): string[] {
  return readdirSync(join(ROOT, folder)).filter((name) => name !== 'node_modules' && !name.startsWith('.'))
}

/** A page's text. */
export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

/** The scripts that commands of the docs may name. */
const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> }

/** What of a page is not as it says: a command that printed something else or failed, a script that there is not. One shell runs them all, in order. */
export async function faultsOf(page: string, place: Place): Promise<string[]> {
  // curl has a configuration of its own, in which it shows no progress, as on a terminal.
  const curl = fileURLToPath(new URL('curl', import.meta.url))
  const shell = openShell(place.root, { ...process.env, CURL_HOME: curl, PATH: `${ROOT}node_modules/.bin:${process.env['PATH']}` })
  const faults: string[] = []
  try {
    for (const written of commandsOf(readPage(page))) {
      const found = await faultsOfCommand(written, place, shell)
      faults.push(...found.map((fault) => `${page}:${written.line}: ${written.command}\n${fault}`))
    }
  } finally {
    shell.close()
  }
  return faults
}

async function faultsOfCommand(written: Command, { host, stateDir }: Place, shell: Shell): Promise<string[]> {
  const here = (text: string): string => text.replaceAll('localhost:8787', host).replaceAll('./.local/', `${stateDir}/`)
  const command = runnable(written.command)
  if (command === undefined) return faultsOfScript(written.command)
  const { output, code } = await shell.run(here(command))
  if (written.expected === undefined) return code === 0 ? [] : [`ended with ${code}:\n${output}`]
  const expected = here(written.expected)
  return isPrinted(output, expected) ? [] : [`printed\n${output}\nwhere the page says\n${expected}`]
}

/**
 * The command as it is run; undefined for a script of package.json, which only has to exist: `dev` does not end, and the others are run by `.ci/run` itself.
 * pnpm is left out of `pnpm exec`, since it would look for changes to install first.
 */
function runnable(command: string): string | undefined {
  const [, words] = /^npx -y pnpm@12 (.*)$/s.exec(command) ?? []
  if (words === undefined) return command
  const [, program] = /^--filter @dot-do\/tests exec (.*)$/s.exec(words) ?? []
  return program === undefined ? undefined : `${ROOT}tests/node_modules/.bin/${program}`
}

function faultsOfScript(command: string): string[] {
  const [, first = '', ...words] = command
    .replace('npx -y ', '')
    .replace(/\s+#.*$/, '')
    .split(/\s+/)
  const [program = '', ...files] = first === 'exec' ? words : ['', ...words]
  const isThere = first === 'exec' ? existsSync(join(ROOT, 'node_modules/.bin', program)) : Object.hasOwn(scripts, first)
  const missing = files.filter((word) => word.includes('/') && !existsSync(join(ROOT, word)))
  return [...(isThere ? [] : [`there is no ${first} ${program}`]), ...missing.map((file) => `there is no ${file}`)]
}

/** Whether an output is what a page says; in the page `…` stands for anything. */
export function isPrinted(output: string, expected: string): boolean {
  const literals = expected
    .trim()
    .split('…')
    .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`))
  return new RegExp(`^${literals.join(String.raw`[\s\S]*?`)}$`).test(output)
}

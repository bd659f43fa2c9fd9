import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'

/** Says that a command was called wrongly; the usage is printed with it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Says that the world is not as a command needs it; the sentence is all there is to say. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** Where `pnpm dev` keeps what is local, unless told. */
export const DEFAULT_STATE = '.local'

/** What a command runs with. */
export interface Run {
  values: Record<string, string | boolean | (string | boolean)[] | undefined>
  positionals: string[]
  /** Aborted by Ctrl-C and SIGTERM; a second one ends the process at once. */
  signal: AbortSignal
  /** One line of the answer, to stdout; kept back under `--json`. */
  say(line: string): void
  /** How far it is, in place on a terminal and nowhere else. */
  progress(text: string): void
  /** The answer as one JSON object, under `--json` only. */
  answer(value: unknown): void
}

/** How a command is called. */
export interface Calling {
  usage: string
  options: NonNullable<ParseArgsConfig['options']>
  /** How many arguments there may be besides options, at least and at most. */
  arguments: [least: number, most: number]
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

/** The text of an option, where it was given. */
export function textOf({ values }: Run, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

/** Runs a command with the arguments of this process: exit code 0 when it went well, 1 when not, 2 when it was called wrongly, 128 and the signal's number when interrupted. */
export async function runCommand(calling: Calling, run: (run: Run) => Promise<void>): Promise<void> {
  const abort = new AbortController()
  let exitCode = 0
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      if (abort.signal.aborted) process.exit(code)
      exitCode = code
      abort.abort(new CommandError('interrupted'))
    })
  }
  const terminal = terminalOf(process.stderr)
  try {
    const given = readArguments(calling)
    if (given.values['help'] === true) return void process.stdout.write(calling.usage)
    const isJson = given.values['json'] === true
    await run({
      ...given,
      signal: abort.signal,
      progress: terminal.progress,
      say: (line) => {
        terminal.clear()
        if (!isJson) process.stdout.write(`${line}\n`)
      },
      answer: (value) => void (isJson && process.stdout.write(`${JSON.stringify(value)}\n`)),
    })
  } catch (error) {
    terminal.clear()
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    if (error instanceof UsageError) process.stderr.write(`\n${calling.usage}`)
    exitCode ||= error instanceof UsageError ? 2 : 1
  }
  // What a server keeps open, such as an idle connection, must not keep the command.
  process.exitCode = exitCode
}

function readArguments({ options, arguments: [least, most] }: Calling): Pick<Run, 'values' | 'positionals'> {
  const all = { ...options, json: { type: 'boolean' }, help: { type: 'boolean' } } as const
  try {
    const { values, positionals } = parseArgs({ options: all, allowPositionals: true })
    if (values.help !== true && positionals.length < least) throw new UsageError('an argument is missing')
    if (positionals.length > most) throw new UsageError(`${positionals[most]} is one argument too many`)
    return { values, positionals }
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function terminalOf(stream: NodeJS.WriteStream): { progress(text: string): void; clear(): void } {
  let shownAt = 0
  let isShown = false
  return {
    progress(text) {
      // A terminal is written to ten times a second at most.
      if (!stream.isTTY || Date.now() - shownAt < 100) return
      shownAt = Date.now()
      isShown = true
      // A terminal that does not tell its width says 0.
      stream.write(`\r\u001b[K${text.slice(0, (stream.columns || 80) - 1)}`)
    },
    clear() {
      if (isShown) stream.write('\r\u001b[K')
      isShown = false
    },
  }
}

/** A count with its noun, `1 thing`, `12,000 things`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}

/** Bytes as people say them. */
export function shownBytes(bytes: number): string {
  if (bytes < 1_000) return counted(bytes, 'byte')
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

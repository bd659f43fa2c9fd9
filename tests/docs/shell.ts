import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a command printed, on both streams, and how it ended. */
export interface Ran {
  output: string
  code: number
}

/** A shell that keeps its variables from one command to the next, as a reader's does. */
export interface Shell {
  run(command: string): Promise<Ran>
  close(): void
}

const END = '--end-of-command--'

/** Opens a bash in a folder. */
export function openShell(cwd: string, env: Record<string, string | undefined>): Shell {
  const bash = spawn('bash', ['--noprofile', '--norc'], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: bash.stdout })[Symbol.asyncIterator]()
  bash.stdin.write('exec 2>&1\n')
  return {
    async run(command) {
      // Commands read no input: what stands in the pipe is the next command.
      bash.stdin.write(`{ ${command}\n} </dev/null\nprintf '\\n${END} %d\\n' $?\n`)
      const output: string[] = []
      for (;;) {
        const { value, done } = await lines.next()
        if (done) throw new Error(`The shell ended after:\n${command}\n${output.join('\n')}`)
        if (value.startsWith(END)) return { output: output.join('\n').trim(), code: Number(value.slice(END.length)) }
        output.push(value)
      }
    },
    close: () => bash.stdin.end(),
  }
}

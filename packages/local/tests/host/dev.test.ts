import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { workspace } from './platform-under-test.ts'

const PROGRAM = join(import.meta.dirname, '../../src/dev.ts')

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('ends in order on %s and leaves no process behind', async (signal, code) => {
  const program = run(await workspace(), ['--port', '0'])
  await program.ready()
  const workerd = await workerdOf(program.root)

  process.kill(program.pid, signal)

  expect(await program.exit).toBe(code)
  expect(isAlive(workerd)).toBe(false)
  expect(existsSync(join(program.root, '.local/workerd.pid'))).toBe(false)
})

it('ends in order on Ctrl-C, which every process of the terminal gets', async () => {
  const program = run(await workspace(), ['--port', '0'])
  await program.ready()
  const workerd = await workerdOf(program.root)

  process.kill(-program.pid, 'SIGINT')

  expect(await program.exit).toBe(130)
  expect(isAlive(workerd)).toBe(false)
  expect(program.errors()).toBe('')
})

it('ends in order when it is told to before it was ready', async () => {
  const program = run(await workspace(), ['--port', '0'])
  await vi.waitFor(() => expect(program.lines.length).toBeGreaterThan(0), 10_000)

  process.kill(program.pid, 'SIGTERM')

  expect(await program.exit).toBe(143)
  expect(existsSync(join(program.root, '.local/workerd.pid'))).toBe(false)
})

it('takes the Workers’ runtime along when it is killed by kill -9, and starts again', async () => {
  const program = run(await workspace(), ['--port', '0'])
  await program.ready()
  const workerd = await workerdOf(program.root)

  process.kill(program.pid, 'SIGKILL')

  await vi.waitFor(() => expect(isAlive(workerd)).toBe(false), 10_000)
  const again = run(program.root, ['--port', '0'])
  await again.ready()
})

it('ends its last line of start with the address it answers at', async () => {
  const program = run(await workspace(), ['--port', '0'])

  const address = await program.ready()

  expect(program.lines.at(-1)).toBe(`ready ${address}`)
  expect(await (await fetch(`${address}/version`)).text()).toBe('first')
})

it('shows the admin key in the start that makes it, and afterwards only where it is', async () => {
  const first = run(await workspace(), ['--port', '0', '--state', 'state'])
  await first.ready()
  process.kill(first.pid, 'SIGTERM')
  await first.exit
  const { adminKey } = JSON.parse(await readFile(join(first.root, 'state/dev.json'), 'utf8'))

  const second = run(first.root, ['--port', '0', '--state', 'state'])
  await second.ready()

  expect(first.lines).toContain(`admin key ${adminKey}`)
  expect(second.lines).toContain('admin key in state/dev.json')
  expect(second.lines.join('\n')).not.toContain(adminKey)
})

it('exits with 1 and one sentence when another process has the state directory', async () => {
  const first = run(await workspace(), ['--port', '0'])
  await first.ready()

  const second = run(first.root, ['--port', '0'])

  expect(await second.exit).toBe(1)
  expect(second.errors()).toBe(`${join(first.root, '.local')} is in use by process ${first.pid}\n`)
})

it.each([[['--prot', '1']], [['--port', 'x']], [['--port', '65536']], [['extra']]])('exits with 2 for %j and changes nothing', async (args) => {
  const program = run(await workspace(), args)

  expect(await program.exit).toBe(2)
  expect(program.errors()).toContain(args.at(-1) === '1' ? '--prot' : args.at(-1))
  expect(existsSync(join(program.root, '.local'))).toBe(false)
})

/** Runs the program in a workspace; it is killed when the test ends, if it still runs. */
function run(root: string, args: string[]) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const lines: string[] = []
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const readiness = new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      lines.push(line)
      if (line.startsWith('ready ')) resolve(line.slice('ready '.length))
    })
    void exit.then((code) => reject(new Error(`ended with ${code}: ${errors}`)))
  })
  readiness.catch(() => {})
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await exit
  })
  return { root, pid: child.pid ?? 0, lines, exit, errors: () => errors, ready: () => readiness }
}

async function workerdOf(root: string): Promise<number> {
  const pid = Number(await readFile(join(root, '.local/workerd.pid'), 'utf8'))
  expect(isAlive(pid)).toBe(true)
  return pid
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Activity } from './activity.ts'
import type { TailEvent } from './protocol.ts'
import { workerdPath } from './workerd-path.ts'

/** How a process that hosts published scripts is started. */
export interface ShardSettings {
  /** The configuration of workerd, as a file. */
  configFile: string
  token: string
  onTail(key: string, event: TailEvent): void
}

/** How a process ended. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
  /** The last that it said of itself. */
  stderr: string
}

/** A process that hosts published scripts. */
export interface ShardProcess {
  /** Names it for good: process ids come back. */
  id: string
  pid: number
  /** Its debug port, as `host:port`. */
  address: string
  activity: Activity
  /** Asks it something. Fails when it ends before it answers. */
  call(path: string, body?: unknown): Promise<{ status: number; text: string }>
  kill(): void
  exit: Promise<Exit>
}

const BOOT_TIMEOUT_MS = 15_000
const MAX_LINE_CHARS = 1 << 20
const STDERR_CHARS = 4_096

/** Starts a process and waits until it listens. It ends with this one, however that ends. */
export async function startShardProcess({ configFile, token, onTail }: ShardSettings): Promise<ShardProcess> {
  const mark = `${randomUUID()} `
  const activity = new Activity(onTail)
  const args = [workerdPath(), 'serve', configFile, '--experimental', '--debug-port=127.0.0.1:0', '--control-fd=3']
  const child = spawn(fileURLToPath(new URL('shard.sh', import.meta.url)), args, {
    // A group of its own: Ctrl-C in a terminal is this program's matter.
    detached: true,
    env: { MARK: mark, PATH: process.env['PATH'] ?? '' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  })
  child.stdin?.on('error', () => {})
  readLines(child.stdout, (line) => {
    // Published code may have left the line before it without an end.
    const at = line.indexOf(mark)
    if (at !== -1) activity.read(line.slice(at + mark.length))
  })
  const exit = exitOf(child)
  const ports = await Promise.race([portsOf(child), exit.then(({ stderr }) => Promise.reject(new Error(`workerd did not start: ${stderr}`)))])
  const agent = new Agent({ keepAlive: true })
  void exit.then(() => agent.destroy())
  return {
    id: randomUUID(),
    pid: child.pid ?? 0,
    address: `127.0.0.1:${ports.debug}`,
    activity,
    exit,
    kill: () => endGroup(child),
    call: (path, body) => ask({ agent, port: ports.control, path, token, body }),
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => (stderr = `${stderr}${chunk.toString()}`.slice(-STDERR_CHARS)))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      endGroup(child)
      child.stdin?.destroy()
      resolve({ code, signal, stderr })
    })
  })
}

/** Ends workerd and its watcher. While the watcher is there, the group's number is nobody else's. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/** workerd writes a line of JSON for each socket that listens. */
function portsOf(child: ChildProcess): Promise<{ debug: number; control: number }> {
  return new Promise((resolve, reject) => {
    const timeout = setTimeout(() => {
      endGroup(child)
      reject(new Error(`workerd did not listen within ${BOOT_TIMEOUT_MS} ms`))
    }, BOOT_TIMEOUT_MS)
    const found = new Map<string, number>()
    readLines(child.stdio[3], (line) => {
      const { socket, port } = JSON.parse(line) as { socket?: string; port?: number }
      if (socket !== undefined && port !== undefined) found.set(socket, port)
      const debug = found.get('debug-port')
      const control = found.get('control')
      if (debug === undefined || control === undefined) return
      clearTimeout(timeout)
      resolve({ debug, control })
    })
    child.once('exit', () => clearTimeout(timeout))
  })
}

/** Reads lines as they come; what is longer than a line may be is let go. */
function readLines(stream: ChildProcess['stdio'][number] | undefined, onLine: (line: string) => void): void {
  if (!stream) return
  let rest = ''
  const readable = stream as Readable
  readable.setEncoding('utf8')
  readable.on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_CHARS) rest = ''
    for (const line of lines) onLine(line)
  })
}

interface Question {
  agent: Agent
  port: number
  path: string
  token: string
  body: unknown
}

function ask({ agent, port, path, token, body }: Question): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const asked = request({ agent, host: '127.0.0.1', port, path, method: body === undefined ? 'GET' : 'POST', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'

/** A gateway of others that does the same as ours: fastify in front of a bare server, counting in Redis where that is installed. */
export interface Peer {
  url: string
  key: string
  /** The gateway, the server behind it, and Redis: as ours, it is measured with all that it needs. */
  pids: number[]
  /** What it counts in. */
  counts: 'redis' | 'memory'
  stop(): void
}

const REDIS_PORT = 26_379

/** Starts it, each part in a process of its own. */
export async function startPeer(): Promise<Peer> {
  const key = crypto.randomUUID()
  const redis = await startRedis()
  const behind = part()
  const backend = await ask(behind, { part: 'backend' })
  const front = part()
  const counting = redis ? { redis: `redis://127.0.0.1:${REDIS_PORT}` } : {}
  const port = await ask(front, { part: 'gateway', backend: `http://127.0.0.1:${backend}`, key, ...counting })
  const children = [front, behind, ...(redis ? [redis] : [])]
  return {
    url: `http://127.0.0.1:${port}`,
    key,
    pids: children.map(({ pid }) => pid ?? 0),
    counts: redis ? 'redis' : 'memory',
    stop: () => children.forEach((child) => child.kill()),
  }
}

function part(): ChildProcess {
  return fork(fileURLToPath(new URL('fastify-gateway.ts', import.meta.url)))
}

async function ask(child: ChildProcess, told: object): Promise<number> {
  child.send(told)
  const [port] = (await once(child, 'message')) as [number]
  return port
}

/** Debian's `redis-server`, keeping nothing; undefined where it is not installed. */
async function startRedis(): Promise<ChildProcess | undefined> {
  const child = spawn('redis-server', ['--port', String(REDIS_PORT), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' })
  const isThere = await succeeds(once(child, 'spawn'))
  if (!isThere) return undefined
  while (!(await answers(REDIS_PORT))) await new Promise((resolve) => setTimeout(resolve, 50))
  return child
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const isOpen = await succeeds(once(socket, 'connect'))
  socket.destroy()
  return isOpen
}

/** `once` fails when an error comes in place of what it waits for. */
function succeeds(event: Promise<unknown>): Promise<boolean> {
  return event.then(
    () => true,
    () => false,
  )
}

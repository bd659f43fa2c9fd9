import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import type { ExtraWorker } from './miniflare-options.ts'

/** Where the platform listens. */
export interface Listening {
  hosts: string[]
  port: number
}

/**
 * Decides where to listen: on the host given, or on this machine's own addresses, IPv4 and, where there is one, IPv6, since `localhost` may mean either.
 * Port 0 becomes a free one. Fails when the port is taken.
 */
export async function chooseListening(port: number, host?: string): Promise<Listening> {
  const [first = '127.0.0.1', ...further] = host === undefined ? ['127.0.0.1', '::1'] : [host]
  const bound = port === 0 ? await freePort(first) : await probe(first, port)
  if (typeof bound === 'string') throw new Error(bound === 'EADDRINUSE' ? takenPort(port) : `Cannot listen on ${first} port ${port}: ${bound}`)
  const hosts = [first]
  for (const other of further) {
    const outcome = await probe(other, bound)
    if (outcome === 'EADDRINUSE') throw new Error(takenPort(bound))
    if (typeof outcome === 'number') hosts.push(other)
  }
  return { hosts, port: bound }
}

/**
 * A free port of this machine. It is taken only later, so it comes from below the range that systems give to outgoing connections (from 32768 on Linux, 49152
 * elsewhere): one from there could be in use a moment later.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const bound = await probe(host, randomInt(16_384, 32_768))
    if (typeof bound === 'number') return bound
  }
  throw new Error(`Found no free port on ${host}`)
}

/** What to say about a port that another program has. */
export function takenPort(port: number): string {
  return `Port ${port} is taken by another program; choose another with --port`
}

/** Ports for the Workers that listen on one of their own. */
export async function portsOf(workers: ExtraWorker[]): Promise<Map<string, number>> {
  const listening = workers.filter(({ listens }) => listens === true)
  return new Map(await Promise.all(listening.map(async ({ name }) => [name, await freePort()] as const)))
}

/** Says of an error that it is a taken port, if it is: another program may take the port after it was found free. */
export function clearly(port: number): (error: unknown) => never {
  return (error) => {
    throw error instanceof Error && 'code' in error && error.code === 'ERR_ADDRESS_IN_USE' ? new Error(takenPort(port), { cause: error }) : error
  }
}

/** Listens and stops. The port that was had, or the code of the error. */
function probe(host: string, port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve('code' in error ? String(error.code) : error.message))
    server.listen({ host, port, ipv6Only: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port))
    })
  })
}

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect as connectTcp, isIP } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { connect as connectTls } from 'node:tls'
import type { Duplex } from 'node:stream'

const CONNECT_LIMIT_MS = 10_000

/** Asks a server for TLS: a length and a code (PostgreSQL documentation, "SSLRequest"). */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])

/** Where a PostgreSQL listens, and whether its clients are to ask for TLS. */
export interface Upstream {
  host: string
  port: number
  isTls: boolean
  /** A file with the certificates to trust; those of Node unless told. */
  certificates?: string | undefined
}

/** The server that a connection string names, by its `sslmode`. */
export function upstreamOf(url: string): Upstream {
  const { hostname, port, searchParams } = new URL(url)
  const isTls = /^(require|verify-)/.test(searchParams.get('sslmode') ?? '')
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 5432), isTls, certificates: searchParams.get('sslrootcert') ?? undefined }
}

/** Passes bytes to a PostgreSQL server and back, and understands none of them: the client logs in there itself. Never fails. */
export async function relay(stream: Duplex, upstream: Upstream): Promise<void> {
  stream.on('error', () => stream.destroy())
  try {
    const server = await reach(upstream)
    await Promise.allSettled([pipeline(stream, server), pipeline(server, stream)])
  } catch {
    // The client sees its connection end, as it would see the server's.
  }
  stream.destroy()
}

async function reach({ host, port, isTls, certificates }: Upstream): Promise<Duplex> {
  const signal = AbortSignal.timeout(CONNECT_LIMIT_MS)
  const socket = connectTcp({ host, port, noDelay: true })
  // What goes wrong later ends the pipelines; without a listener it would end the process.
  socket.on('error', () => socket.destroy())
  try {
    await once(socket, 'connect', { signal })
    if (!isTls) return socket
    socket.write(SSL_REQUEST)
    const [answer] = (await once(socket, 'data', { signal })) as [Buffer] // what a socket's data event gives
    socket.pause()
    if (answer.toString() !== 'S') throw new Error('The server offers no TLS')
    const secure = connectTls({ socket, host, ...(isIP(host) ? {} : { servername: host }), ...(certificates && { ca: await readFile(certificates) }) })
    secure.on('error', () => secure.destroy())
    await once(secure, 'secureConnect', { signal })
    return secure
  } catch (error) {
    socket.destroy()
    throw error
  }
}

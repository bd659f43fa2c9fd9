import { connect } from 'cloudflare:sockets'
import type { Address } from './address.ts'
import type { Line, Listener, OpenLine } from './line.ts'

/** Asks a server for TLS: a length and a code (PostgreSQL documentation, "SSLRequest"). */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f)

/** Opens a line straight to PostgreSQL. */
export function tcpLine({ host, port, isTls }: Address): OpenLine {
  return async (listener, signal) => {
    const socket = connect({ hostname: host, port }, { secureTransport: isTls ? 'starttls' : 'off', allowHalfOpen: false })
    signal.addEventListener('abort', () => void socket.close().catch(() => undefined))
    await socket.opened
    return lineOf(isTls ? await encrypted(socket) : socket, listener)
  }
}

/** The server says in one byte whether it can; nothing else may have come with it, since that would be taken for what came encrypted. */
async function encrypted(socket: Socket): Promise<Socket> {
  const writer = socket.writable.getWriter()
  await writer.write(SSL_REQUEST)
  writer.releaseLock()
  const reader = socket.readable.getReader()
  const { value } = await reader.read()
  reader.releaseLock()
  if (!(value instanceof Uint8Array) || value.byteLength !== 1 || value[0] !== 0x53) {
    await socket.close()
    throw new Error('The database offers no TLS')
  }
  const secure = socket.startTls()
  await secure.opened
  return secure
}

function lineOf(socket: Socket, listener: Listener): Line {
  const writer = socket.writable.getWriter()
  const failed = (reason: unknown): void => listener.end(reason instanceof Error ? reason : undefined)
  const listen = async (): Promise<void> => {
    const chunks: ReadableStream<Uint8Array> = socket.readable
    for await (const chunk of chunks) listener.receive(chunk)
  }
  listen().then(() => listener.end(), failed)
  return {
    send: (bytes) => void writer.write(bytes).catch(failed),
    close: () => void socket.close().catch(() => undefined),
  }
}

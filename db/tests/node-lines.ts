import { once } from 'node:events'
import { connect } from 'node:net'
import type { Address } from '../src/transports/address.ts'
import type { OpenLine } from '../src/transports/line.ts'

/** A line by the WebSocket of Node, as a Worker opens one by its own. */
export function nodeWebSocketLine(port: number): OpenLine {
  return async (listener) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v2`)
    socket.binaryType = 'arraybuffer'
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error('No WebSocket')))
    })
    socket.addEventListener('message', ({ data }) => listener.receive(new Uint8Array(data as ArrayBuffer))) // binaryType says so
    socket.addEventListener('close', () => listener.end())
    socket.addEventListener('error', () => listener.end())
    return { send: (bytes) => socket.send(bytes), close: () => socket.close() }
  }
}

/** A line by the sockets of Node, as a Worker opens one by `cloudflare:sockets`. */
export function nodeTcpLine({ host, port }: Pick<Address, 'host' | 'port'>): OpenLine {
  return async (listener) => {
    const socket = connect(port, host)
    await once(socket, 'connect')
    socket.on('data', (chunk: Buffer) => listener.receive(chunk))
    socket.on('error', (error) => listener.end(error))
    socket.on('close', () => listener.end())
    return { send: (bytes) => socket.write(bytes), close: () => socket.destroy() }
  }
}

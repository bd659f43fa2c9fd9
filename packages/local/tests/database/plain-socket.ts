import { connect } from 'node:net'

/** A class that the Neon driver takes for a WebSocket's, and whose instances are sockets to a port of this machine. */
export function plainSocket(port: number): typeof WebSocket {
  class PlainSocket {
    binaryType = 'arraybuffer'
    readonly #socket = connect(port, '127.0.0.1')

    addEventListener(type: string, listener: (event: unknown) => void): void {
      if (type === 'open') this.#socket.on('connect', listener)
      else if (type === 'message') this.#socket.on('data', (data: Buffer) => listener({ data }))
      else this.#socket.on(type, listener)
    }

    send(bytes: Uint8Array): void {
      this.#socket.write(bytes)
    }

    close(): void {
      this.#socket.end()
    }
  }
  return PlainSocket as unknown as typeof WebSocket // of a WebSocket the driver uses what is here
}

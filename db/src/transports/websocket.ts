import type { Env } from '../env.ts'
import type { Address } from './address.ts'
import type { OpenLine } from './line.ts'

/** Opens a line through a WebSocket to Neon's proxy, `wss://host/v2?address=host:port`, or to what the binding DATABASE leads to. */
export function webSocketLine({ host, port }: Address, { DATABASE }: Env): OpenLine {
  return async (listener, signal) => {
    const path = `/v2?address=${host}:${port}`
    const init = { headers: { Upgrade: 'websocket' }, signal }
    const { status, webSocket } = DATABASE ? await DATABASE.fetch(`http://database${path}`, init) : await fetch(`https://${host}${path}`, init)
    if (!webSocket) throw new Error(`The database's endpoint answered ${status} in place of a WebSocket`)
    webSocket.binaryType = 'arraybuffer'
    webSocket.addEventListener('message', ({ data }) =>
      listener.receive(data instanceof ArrayBuffer ? new Uint8Array(data) : new TextEncoder().encode(String(data))),
    )
    webSocket.addEventListener('close', () => listener.end())
    webSocket.addEventListener('error', () => listener.end())
    webSocket.accept()
    return { send: (bytes) => webSocket.send(bytes), close: () => webSocket.close() }
  }
}

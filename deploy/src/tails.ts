import { log, ServiceError } from '@dot-do/worker-utils'
import { json, type CloudflareApi } from './cloudflare.ts'
import { pathOf, type ScriptPlace } from './scripts-api.ts'

/** A script that is listened to. */
export interface Tail {
  /** Ends the connection, and Cloudflare's side of it. */
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000

/** Listens to a script as `wrangler tail` does: a session is asked for, and its WebSocket brings an event for each invocation. `onEnd` is told when it ends by itself. */
export async function openTail(
  api: CloudflareApi,
  place: ScriptPlace,
  { onMessage, onEnd }: { onMessage: (message: string) => void; onEnd: () => void },
): Promise<Tail> {
  const path = [...pathOf(place), 'tails']
  const session = (await api({ method: 'POST', path, body: () => json({ filters: [] }) })) as { id: string; url: string } // as wrangler relies on
  const remove = async (): Promise<void> => {
    await api({ method: 'DELETE', path: [...path, session.id], absentIsFine: true }).catch((cause: unknown) =>
      log('warn', 'tail_not_ended', { ...place, cause }),
    )
  }
  try {
    const socket = await connect(session.url)
    socket.addEventListener('message', ({ data }) => onMessage(typeof data === 'string' ? data : new TextDecoder().decode(data)))
    socket.addEventListener('close', onEnd)
    socket.addEventListener('error', onEnd)
    socket.accept()
    return {
      async close() {
        socket.close(1000)
        await remove()
      },
    }
  } catch (thrown) {
    await remove()
    throw thrown
  }
}

async function connect(url: string): Promise<WebSocket> {
  const headers = { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': 'trace-v1' }
  // The time limit is for the handshake; a signal would end the connection with it.
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), CONNECT_TIMEOUT_MS)
  try {
    const { webSocket, status } = await fetch(url.replace(/^ws/, 'http'), { headers, signal: late.signal })
    if (!webSocket) throw new ServiceError('UPSTREAM', `Cloudflare opened no log stream (status ${status})`)
    return webSocket
  } finally {
    clearTimeout(timer)
  }
}

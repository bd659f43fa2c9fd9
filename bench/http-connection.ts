import { connect, type Socket } from 'node:net'

/** One kept-alive connection that has at most one request under way. Far cheaper than a full client, so that the load generator is never what is measured. */
export interface HttpConnection {
  /** Sends a request and gives the status of its answer, once that is complete. */
  exchange(request: Buffer): Promise<number>
  close(): void
}

const HEAD_END = Buffer.from('\r\n\r\n')
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

/** Opens a connection. It understands answers with a `Content-Length` or in chunks, which is all that workerd sends. */
export async function openConnection(host: string, port: number): Promise<HttpConnection> {
  const socket = connect({ host, port, noDelay: true })
  await new Promise((resolve, reject) => socket.once('connect', () => resolve(undefined)).once('error', reject))
  return overSocket(socket)
}

function overSocket(socket: Socket): HttpConnection {
  let received = Buffer.alloc(0)
  let waiting: PromiseWithResolvers<number> | undefined
  const fail = (error: Error) => waiting?.reject(error)
  socket.on('error', fail).on('close', () => fail(new Error('The server closed a connection in the middle of an exchange')))
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const status = statusOfComplete(received)
    if (status === undefined) return
    received = Buffer.alloc(0)
    waiting?.resolve(status)
  })
  return {
    exchange(request) {
      waiting = Promise.withResolvers()
      socket.write(request)
      return waiting.promise
    },
    close: () => socket.destroy(),
  }
}

/** The status of an answer that has arrived as a whole; undefined while more is to come. */
function statusOfComplete(received: Buffer): number | undefined {
  const headEnd = received.indexOf(HEAD_END)
  if (headEnd === -1) return undefined
  const head = received.toString('latin1', 0, headEnd + 2)
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1]
  const bodyStart = headEnd + HEAD_END.length
  const isComplete = length === undefined ? received.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) : received.length >= bodyStart + Number(length)
  return isComplete ? Number(head.slice(9, 12)) : undefined
}

import { connect } from 'node:net'
import { inject } from 'vitest'

/** What came back over a bare connection. */
export interface RawAnswer {
  status: number
  headers: Record<string, string>
  body: string
}

/** Sends bytes as they are, which no HTTP client would write, and reads one answer. The connection is closed by the server, as every such request asks. */
export function sendRaw(text: string): Promise<RawAnswer> {
  const { port } = inject('platform')
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(text))
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(parsed(Buffer.concat(chunks).toString('latin1'))))
  })
}

/** A request line and headers, as they are. */
export function requestText(line: string, headers: string[]): string {
  return [`${line} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n')
}

function parsed(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [line = '', ...fields] = head.split('\r\n')
  const headers = Object.fromEntries(fields.map((field) => [field.slice(0, field.indexOf(':')).toLowerCase(), field.slice(field.indexOf(':') + 1).trim()]))
  return { status: Number(line.split(' ')[1]), headers, body: rest.join('\r\n\r\n') }
}

import { describe, expect, it } from 'vitest'
import { DriverSocket, type Line } from '../src/transports/line.ts'

interface Watched {
  socket: DriverSocket
  sent: number[][]
  heard: string[]
  isClosed(): boolean
}

/** A driver's socket on a line that remembers what it carried. */
function watched(): Watched {
  const [sent, heard]: [number[][], string[]] = [[], []]
  let isClosed = false
  const line: Line = { send: (bytes) => void sent.push([...bytes]), close: () => void (isClosed = true) }
  const socket = new DriverSocket()
  for (const type of ['open', 'message', 'close', 'error'] as const) {
    socket.addEventListener(type, (event) => void heard.push(event instanceof Error ? `${type}: ${event.message}` : type))
  }
  socket.attach(line)
  return { socket, sent, heard, isClosed: () => isClosed }
}

const turn = (): Promise<void> => Promise.resolve()

describe('a line as the driver’s socket', () => {
  it('is open as soon as it is listened to', async () => {
    const { heard } = watched()
    await turn()

    expect(heard).toEqual(['open'])
  })

  it('carries together what is sent in one go, in order', async () => {
    const { socket, sent } = watched()
    socket.send(Uint8Array.of(1, 2))
    socket.send(Uint8Array.of(3))
    await turn()
    socket.send(Uint8Array.of(4))
    await turn()

    expect(sent).toEqual([[1, 2, 3], [4]])
  })

  it('carries what was sent before it was closed', () => {
    const { socket, sent, isClosed } = watched()
    socket.send(Uint8Array.of(1))

    socket.close()

    expect([sent, isClosed()]).toEqual([[[1]], true])
  })

  it('is cut in the middle of an answer of more than 32 MiB, and says why', () => {
    const { socket, heard, isClosed } = watched()
    const mebibyte = new Uint8Array(1024 * 1024)
    for (let received = 0; received < 32; received++) socket.receive(mebibyte)
    const before = isClosed()

    socket.receive(Uint8Array.of(1))
    socket.receive(mebibyte)

    expect([before, isClosed()]).toEqual([false, true])
    expect(heard.slice(-2)).toEqual(['message', 'error: The answer is larger than 33554432 bytes; read it in pages'])
  })

  it('counts each answer by itself', () => {
    const { socket, isClosed } = watched()
    const large = new Uint8Array(20 * 1024 * 1024)
    socket.receive(large)
    socket.expectAnswer()
    socket.receive(large)

    expect(isClosed()).toBe(false)
  })

  it('tells its end once, and closes a line that comes too late', () => {
    const { socket, heard } = watched()
    socket.end()
    socket.end(new Error('later'))
    let isClosed = false

    socket.attach({ send: () => undefined, close: () => void (isClosed = true) })

    expect(heard).toEqual(['close'])
    expect(isClosed).toBe(true)
  })
})

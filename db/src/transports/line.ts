import { MAX_ANSWER_BYTES, tooLarge } from './limits.ts'

/** A stream of bytes to a PostgreSQL. */
export interface Line {
  send(bytes: Uint8Array): void
  close(): void
}

/** What hears the bytes that come back, and once that no more will. */
export interface Listener {
  receive(bytes: Uint8Array): void
  end(reason?: Error): void
}

/** Opens a line, or fails. A line that is no longer wanted when it opens is closed. */
export type OpenLine = (listener: Listener, signal: AbortSignal) => Promise<Line>

type Handlers = Partial<Record<'open' | 'message' | 'close' | 'error', (event: unknown) => void>>

/**
 * A line as the WebSocket that the driver asks for. What is sent in one go of the event loop travels together. Bytes are counted from one question to the next, and a
 * line whose answer grows too long is closed before the rest of it comes.
 */
export class DriverSocket implements Listener {
  binaryType = 'arraybuffer'
  #line: Line | undefined
  #waiting: Uint8Array[] = []
  #received = 0
  #isEnded = false
  readonly #handlers: Handlers = {}

  /** Takes the line that this one hears. */
  attach(line: Line): void {
    if (this.#isEnded) return line.close()
    this.#line = line
  }

  /** Bytes of the answer up to now. */
  get received(): number {
    return this.#received
  }

  /** Begins to count anew. */
  expectAnswer(): void {
    this.#received = 0
  }

  addEventListener(type: 'open' | 'message' | 'close' | 'error', handler: (event: unknown) => void): void {
    this.#handlers[type] = handler
    if (type === 'open') queueMicrotask(() => handler({}))
  }

  send(bytes: Uint8Array): void {
    if (this.#waiting.push(bytes) === 1) queueMicrotask(() => this.#flush())
  }

  close(): void {
    this.#flush()
    this.end()
  }

  receive(bytes: Uint8Array): void {
    if (this.#isEnded) return
    this.#received += bytes.byteLength
    if (this.#received > MAX_ANSWER_BYTES) return this.end(tooLarge())
    this.#handlers.message?.({ data: bytes })
  }

  end(reason?: Error): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#line?.close()
    // The driver takes the event itself for the error.
    if (reason) this.#handlers.error?.(reason)
    else this.#handlers.close?.({})
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    const [first] = waiting
    if (!first || this.#isEnded) return
    this.#line?.send(waiting.length === 1 ? first : joined(waiting))
  }
}

function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

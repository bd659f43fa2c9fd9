import type { Call } from '@dot-do/worker-kernel/call'
import { log } from '@dot-do/worker-utils'
import { cloudflareApi } from './cloudflare.ts'
import type { Env } from './env.ts'
import { linesOf } from './log-lines.ts'
import type { Place } from './places.ts'
import { servingVersions, slotOf, type PublishedSlot } from './pointers.ts'
import { openTail, type Tail } from './tails.ts'

const HEARTBEAT_MS = 15_000

/** How soon a stream follows to what went live meanwhile. */
const FOLLOW_MS = 2_000

/** A stream ends by itself then; whoever wants more asks again, with a key that still holds. */
const LIFETIME_MS = 3_600_000

/** Events that wait for a slow reader; later ones are dropped. */
const MAX_WAITING = 1_000

/** The log of what is live in a place, and of its canary, as server-sent events. It follows what goes live, and ends when its reader does. */
export class LogStream {
  readonly #place: Place
  readonly #call: Call<Env>
  readonly #tails = new Map<number, Promise<Tail | undefined>>()
  readonly #timers: ReturnType<typeof setInterval>[] = []
  #controller: ReadableStreamDefaultController<string> | undefined

  constructor(place: Place, call: Call<Env>) {
    this.#place = place
    this.#call = call
  }

  /** Begins to listen, and gives what is heard. */
  async open(slot: PublishedSlot): Promise<ReadableStream<Uint8Array>> {
    const events = new ReadableStream<string>(
      { start: (controller) => void (this.#controller = controller), cancel: () => this.#close() },
      new CountQueuingStrategy({ highWaterMark: MAX_WAITING }),
    )
    await this.#follow(slot)
    this.#send(': connected\n\n')
    this.#timers.push(setInterval(() => this.#send(': still here\n\n'), HEARTBEAT_MS))
    this.#timers.push(setInterval(() => this.#call.waitUntil(this.#followLatest()), FOLLOW_MS))
    this.#timers.push(setTimeout(() => this.#call.waitUntil(this.#end()), LIFETIME_MS))
    return events.pipeThrough(new TextEncoderStream())
  }

  async #followLatest(): Promise<void> {
    try {
      const slot = await slotOf(this.#place, this.#call)
      if (slot && this.#controller) await this.#follow(slot)
    } catch (cause) {
      log('warn', 'log_stream_not_followed', { ...this.#place, requestId: this.#call.requestId, cause })
    }
  }

  /** Listens to what serves now and to nothing else. */
  async #follow(slot: PublishedSlot): Promise<void> {
    const serving = new Set(servingVersions(slot))
    const gone = [...this.#tails.keys()].filter((version) => !serving.has(version))
    await Promise.all(gone.map((version) => this.#drop(version)))
    for (const kept of slot.versions) if (serving.has(kept.version) && !this.#tails.has(kept.version)) this.#tails.set(kept.version, this.#listen(kept))
    await Promise.all(this.#tails.values())
  }

  /** A script that cannot be listened to is tried again the next time. */
  async #listen({ version, namespace, script }: PublishedSlot['versions'][number]): Promise<Tail | undefined> {
    const onMessage = (message: string) => {
      for (const line of linesOf(message, version)) this.#send(`data: ${JSON.stringify(line)}\n\n`)
    }
    try {
      return await openTail(cloudflareApi(this.#call.env), { namespace, script }, { onMessage, onEnd: () => void this.#tails.delete(version) })
    } catch (cause) {
      this.#tails.delete(version)
      log('warn', 'tail_not_opened', { namespace, script, requestId: this.#call.requestId, cause })
      return undefined
    }
  }

  async #drop(version: number): Promise<void> {
    const tail = this.#tails.get(version)
    this.#tails.delete(version)
    await (await tail)?.close()
  }

  #send(text: string): void {
    if ((this.#controller?.desiredSize ?? 0) > 0) this.#controller?.enqueue(text)
  }

  async #end(): Promise<void> {
    this.#controller?.close()
    await this.#close()
  }

  async #close(): Promise<void> {
    this.#controller = undefined
    for (const timer of this.#timers) clearInterval(timer)
    await Promise.all([...this.#tails.keys()].map((version) => this.#drop(version)))
  }
}

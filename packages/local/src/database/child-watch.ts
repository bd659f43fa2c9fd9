import { writeSync } from 'node:fs'
import { setInterval } from 'node:timers'
import { workerData } from 'node:worker_threads'

/** What the watching thread is told. */
export interface WatchOptions {
  /** Two 32-bit numbers: the first grows as long as the main thread's event loop turns, the second is 1 while it may stand still. */
  beats: SharedArrayBuffer
  parentPid: number
  limitMs: number
}

const tickMs = 250

/**
 * Ends the whole process, from a thread of its own, when a query blocks the main thread for longer than the limit or when the parent is gone.
 * Both must be seen from outside the event loop, which PGlite holds while a query runs. Ticks are counted, not the clock, so a machine that slept kills nothing.
 */
function watch({ beats, parentPid, limitMs }: WatchOptions): void {
  const counter = new Int32Array(beats)
  let seen = -1
  let stillTicks = 0
  setInterval(() => {
    if (process.ppid !== parentPid) process.kill(process.pid, 'SIGKILL')
    const now = Atomics.load(counter, 0)
    stillTicks = now === seen && Atomics.load(counter, 1) === 0 ? stillTicks + 1 : 0
    seen = now
    if (stillTicks * tickMs < limitMs) return
    writeSync(2, `a query held the database for more than ${limitMs} ms; it is stopped and the database opens again\n`)
    process.kill(process.pid, 'SIGKILL')
  }, tickMs)
}

const options: WatchOptions = workerData
watch(options)

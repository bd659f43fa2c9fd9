import { Worker } from 'node:worker_threads'
import type { WatchOptions } from './child-watch.ts'

/** The thread that ends this process when a query holds it too long. */
export interface Watch {
  /** Lets the event loop stand still, for work that may take as long as it needs. */
  pause(): void
  resume(): void
}

const beatMs = 100

/** Starts watching this process from a thread of its own: its event loop must turn, and its parent must live. */
export function watchFromOutside(limitMs: number): Watch {
  const beats = new SharedArrayBuffer(8)
  const [counter, paused] = [new Int32Array(beats, 0, 1), new Int32Array(beats, 4, 1)]
  setInterval(() => Atomics.add(counter, 0, 1), beatMs).unref()
  const options: WatchOptions = { beats, parentPid: process.ppid, limitMs }
  new Worker(new URL('./child-watch.ts', import.meta.url), { workerData: options }).unref()
  return { pause: () => Atomics.store(paused, 0, 1), resume: () => Atomics.store(paused, 0, 0) }
}

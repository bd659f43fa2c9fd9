import type { ActivityLine } from '../protocol.ts'

/** So many lines may wait. */
const MAX_WAITING = 256

/** What is over and not told yet. */
let waiting: string[] = []

/**
 * Tells the watchdog what goes on. That a dispatch enters a script is written at once, and the write is over when this returns, so the line is out even if the next
 * statement never ends. What is over may wait for the next line or ping: each write wakes the Node side, and a request would be paid for three times.
 * The mark is a secret of the process: published code can print, but not this.
 */
export function note(mark: string, line: ActivityLine): void {
  waiting.push(`${mark}${JSON.stringify(line)}`)
  const isUrgent = line.type === 'enter' || (line.type === 'done' && line.event !== undefined)
  if (isUrgent || waiting.length >= MAX_WAITING) tell()
}

/** Writes what waits. */
export function tell(): void {
  if (waiting.length === 0) return
  const lines = waiting
  waiting = []
  console.log(lines.join('\n'))
}

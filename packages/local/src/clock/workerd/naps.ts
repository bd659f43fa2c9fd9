/** Whoever sleeps less is waited for; a longer sleep has nothing to do with the work at hand. */
const NAP_MS = 50

const asleep = new Set<unknown>()
let isHooked = false

/** How many timers are running for so long that nobody who works waits for them. */
export function sleepers(): number {
  return asleep.size
}

/** Counts timers from now on. They go by the machine's time, as they would anyway. */
export function hookTimers(): void {
  if (isHooked) return
  isHooked = true
  const { setTimeout: start, clearTimeout: stop } = globalThis
  globalThis.setTimeout = ((callback: (...args: unknown[]) => void, delayMs = 0, ...args: unknown[]) => {
    const timer = start(() => {
      asleep.delete(timer)
      callback(...args)
    }, delayMs)
    if (delayMs >= NAP_MS) asleep.add(timer)
    return timer
  }) as typeof setTimeout
  globalThis.clearTimeout = (timer) => {
    asleep.delete(timer)
    stop(timer)
  }
  const wait = scheduler.wait.bind(scheduler)
  scheduler.wait = (delayMs, options) => {
    const waiting = wait(delayMs, options)
    const leave = () => void asleep.delete(waiting)
    if (delayMs >= NAP_MS) asleep.add(waiting)
    waiting.then(leave, leave)
    return waiting
  }
}

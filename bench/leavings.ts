type Close = () => Promise<unknown>

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const leavings: Close[] = []
let isEnding = false

/** Names something that must not outlive this program. What is returned clears it away, and is harmless a second time. */
export function leaving(close: Close): Close {
  let closed: Promise<unknown> | undefined
  const once = () => (closed ??= close())
  leavings.push(once)
  return once
}

/** Throws once a signal has come: whoever goes on in steps asks before each, so that nothing is begun that nobody would clear away. */
export function proceed(): void {
  if (isEnding) throw new Error('Interrupted')
}

/** Clears all leavings away when a signal comes, last come first, and ends. A second signal ends at once. */
export function clearOnSignals(): void {
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(code))
      void clear().finally(() => process.exit(code))
    })
  }
}

async function clear(): Promise<void> {
  isEnding = true
  for (const close of leavings.toReversed()) await close().catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
}

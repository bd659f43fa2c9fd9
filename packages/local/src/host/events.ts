/** What the platform tells its owner while it starts and runs. */
export type PlatformEvent =
  /** A step of the start is done. */
  | { type: 'step'; name: string; elapsedMs: number; detail?: string }
  /** A Worker wrote a line. */
  | { type: 'log'; level: string; message: string }
  /** The host itself has something to say. */
  | { type: 'notice'; message: string }
  /** Changed sources run now. */
  | { type: 'reloaded'; services: string[]; elapsedMs: number }
  /** Changed sources do not run, since something in them is wrong; what ran before still does. */
  | { type: 'refused'; message: string }
  /** The Workers' runtime had died and was started again. */
  | { type: 'restarted' }

/** Takes events as they happen; it must not throw. */
export type PlatformListener = (event: PlatformEvent) => void

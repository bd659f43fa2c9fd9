import { stripVTControlCharacters } from 'node:util'
import type { Miniflare, MiniflareOptions } from 'miniflare'
import type { PlatformListener } from './events.ts'
import { leashWorkerd, type Leash } from './leash.ts'

/** A Worker as the host reaches it: its `fetch`, and its `scheduled` and `queue` as the platform calls them. */
export type LocalWorker = Awaited<ReturnType<Miniflare['getWorker']>>

/** The process that runs the Workers. */
export interface Runtime {
  /** Replaces what runs; connections that are open end. */
  update(options: MiniflareOptions): Promise<void>
  worker(name: string): Promise<LocalWorker>
  pid(): Promise<number | undefined>
  stop(): Promise<void>
}

/** How a runtime is started. */
export interface RuntimeSettings {
  stateDir: string
  /** Flags of V8, for every Worker. */
  v8Flags: string[]
  onEvent: PlatformListener
  /** Where published code reaches the platform's Workers, by workerd's own protocol; absent where nothing is published. */
  debugAddress?: string | undefined
}

/**
 * Garbage is collected early rather than late (p95 27 → 10 ms), and a Worker has the 128 MB that Cloudflare gives it
 * (https://developers.cloudflare.com/workers/platform/limits/#memory).
 */
export const DEFAULT_V8_FLAGS = ['--optimize-for-size', '--max-heap-size=128']

/** V8 flags switch a cache of compiled code off, and workerd says so at each start. */
const EXPECTED_NOISE = 'NOSENTRY per-isolate bootstrap compile cache'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Starts the Workers. It ends with this process, however that ends. Fails when a port is taken or a Worker does not start. */
export async function startRuntime(settings: RuntimeSettings, options: MiniflareOptions): Promise<Runtime> {
  process.env['MINIFLARE_WORKERD_V8_FLAGS'] = settings.v8Flags.join(' ')
  const leash = await leashWorkerd(settings.stateDir, settings.debugAddress)
  const complete = await completion(settings, leash)
  const { Miniflare } = await import('miniflare')
  const miniflare = withoutSignalListeners(() => new Miniflare(complete(options)))
  try {
    await miniflare.ready
  } catch (error) {
    await miniflare.dispose()
    await leash.release()
    throw error
  }
  return {
    update: (next) => miniflare.setOptions(complete(next)),
    worker: (name) => miniflare.getWorker(name),
    pid: leash.pid,
    async stop() {
      await miniflare.dispose()
      await leash.release()
    },
  }
}

async function completion({ onEvent }: RuntimeSettings, leash: Leash): Promise<(options: MiniflareOptions) => MiniflareOptions> {
  const { Log, LogLevel } = await import('miniflare')
  class EventLog extends Log {
    protected override log(message: string): void {
      onEvent({ type: 'notice', message: stripVTControlCharacters(message).replace(/^\[mf:\w+\] /, '') })
    }
  }
  const log = new EventLog(LogLevel.WARN)
  return (options) => ({
    ...options,
    log,
    unsafeRuntimeEnv: leash.env,
    unsafeHandleRuntimeRestart: () => onEvent({ type: 'restarted' }),
    handleStructuredLogs({ level, message }) {
      if (message.startsWith(EXPECTED_NOISE)) return
      for (const line of linesOf(message)) onEvent({ type: 'log', level, message: line })
    },
  })
}

/** A busy Worker writes several lines of JSON at once; any other text may have line breaks of its own. */
function linesOf(message: string): string[] {
  return message.startsWith('{') ? message.split(/\n(?={)/) : [message]
}

/** Miniflare ends the whole process when a signal comes, at once; when to end is this program's matter. Its listener for the process's exit stays. */
function withoutSignalListeners<T>(run: () => T): T {
  const before = SIGNALS.map((signal) => process.listeners(signal))
  const result = run()
  for (const [index, signal] of SIGNALS.entries()) {
    for (const listener of process.listeners(signal)) if (!before[index]?.includes(listener)) process.off(signal, listener)
  }
  return result
}

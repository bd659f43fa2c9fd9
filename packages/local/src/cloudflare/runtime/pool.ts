import type { RuntimeListener } from './events.ts'
import { watchIdleness, type IdleRule } from './idleness.ts'
import type { LostDispatch } from './protocol.ts'
import type { ShardProcess } from './shard-process.ts'
import { judge, type Verdict } from './verdict.ts'
import { watch, type Ceilings, type Excess } from './watchdog.ts'

/** How processes are kept. */
export interface PoolSettings {
  shards: number
  ceilings: Ceilings
  idle: IdleRule
  start(): Promise<ShardProcess>
  /** Hears of a process from the moment on when all processes are told things. */
  onLive(shard: ShardProcess): void
  onEvent: RuntimeListener
}

const MAX_VERDICTS = 64
/** A caller may notice that a process is gone before its parent does. */
const EXIT_NOTICE_MS = 2_000
const RETRY_MS = 1_000
/** Longer than a caller may remember where a script ran. */
const PLACEMENT_NOTICE_MS = 3_000

/** The processes of published scripts, each under watch: those that many share, and a spare that takes the place of whichever goes. */
export class Pool {
  #settings: PoolSettings
  #onEnd: (verdict: Verdict) => void
  #shards: Promise<ShardProcess>[]
  #spare: Promise<ShardProcess>
  /** The promises of processes that are there, by which the place of one that ends is found. */
  #promises = new Map<string, Promise<ShardProcess>>()
  #live = new Map<string, ShardProcess>()
  /** How processes ended, by their ids. */
  #verdicts = new Map<string, Verdict>()
  #isStopping = false

  constructor(settings: PoolSettings, onEnd: (verdict: Verdict) => void) {
    this.#settings = settings
    this.#onEnd = onEnd
    this.#shards = Array.from({ length: settings.shards }, () => this.#start())
    this.#spare = this.#start()
  }

  /** Fails when a process does not start. */
  async ready(): Promise<void> {
    await Promise.all([...this.#shards, this.#spare])
  }

  get live(): ShardProcess[] {
    return [...this.#live.values()]
  }

  shard(hash: number): Promise<ShardProcess> {
    return this.#shards[hash % this.#shards.length] ?? this.#spare
  }

  /** The processes that many scripts share. */
  async shared(): Promise<ShardProcess[]> {
    return Promise.all(this.#shards)
  }

  /** A process nobody uses yet. The next one is started at once, so that it is there when it is wanted. */
  take(): Promise<ShardProcess> {
    const taken = this.#spare
    this.#spare = this.#start()
    return taken
  }

  /** How a process ended that somebody has seen go; undefined if it is still there. */
  async verdictOn({ process }: LostDispatch): Promise<Verdict | undefined> {
    const alive = this.#live.get(process)
    if (alive) await Promise.race([alive.exit, timeout(EXIT_NOTICE_MS)])
    return this.#verdicts.get(process)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.allSettled([...this.#shards, this.#spare])
    await Promise.all(
      this.live.map(async (shard) => {
        shard.kill()
        await shard.exit
      }),
    )
  }

  #start(): Promise<ShardProcess> {
    const starting = this.#settings.start()
    const started = starting.then((shard) => {
      this.#live.set(shard.id, shard)
      this.#promises.set(shard.id, started)
      this.#guard(shard)
      this.#settings.onLive(shard)
      return shard
    })
    started.catch((error: unknown) => this.#failed(started, error))
    return started
  }

  /** Whoever waits for it gets the error; those who come later get another try. */
  #failed(started: Promise<ShardProcess>, error: unknown): void {
    if (this.#isStopping) return
    this.#settings.onEvent({ type: 'log', message: error instanceof Error ? error.message : String(error) })
    const retry = (): void => {
      if (this.#isStopping) return
      if (this.#spare === started) this.#spare = this.#start()
      const index = this.#shards.indexOf(started)
      if (index !== -1) this.#shards[index] = this.take()
    }
    setTimeout(retry, RETRY_MS).unref()
  }

  #guard(shard: ShardProcess): void {
    let excess: Excess | undefined
    watch(shard, this.#settings.ceilings, (seen) => {
      excess = seen
      shard.kill()
    })
    watchIdleness(shard, this.#settings.idle, () => this.#retire(shard))
    void shard.exit.then((exit) => this.#ended(judge(shard, exit, excess)))
  }

  /** Gives an idle process's place to the spare, and ends it once nobody can be on the way to it. False for one that is nobody's shared process. */
  #retire(shard: ShardProcess): boolean {
    const index = this.#shards.findIndex((promise) => promise === this.#promises.get(shard.id))
    if (index === -1 || this.#isStopping) return false
    this.#shards[index] = this.take()
    const timer = setInterval(() => {
      if (shard.activity.quietSince === undefined) return
      clearInterval(timer)
      shard.kill()
    }, PLACEMENT_NOTICE_MS)
    void shard.exit.finally(() => clearInterval(timer))
    return true
  }

  #ended(verdict: Verdict): void {
    const { shard, cause } = verdict
    const ended = this.#promises.get(shard.id)
    this.#live.delete(shard.id)
    this.#promises.delete(shard.id)
    this.#verdicts.set(shard.id, verdict)
    const [oldest] = this.#verdicts.keys()
    if (this.#verdicts.size > MAX_VERDICTS && oldest !== undefined) this.#verdicts.delete(oldest)
    if (this.#isStopping) return
    if (cause !== 'outside' && cause !== 'crash') this.#tell('frozen', shard, `The process ${shard.pid} ${WHY[cause]} and was ended.`)
    // Those who shared the process come first: they are many.
    if (ended) this.#replace(shard, ended)
    this.#onEnd(verdict)
  }

  /** At once, so that nobody is sent to a process that is gone. */
  #replace(shard: ShardProcess, ended: Promise<ShardProcess>): void {
    if (this.#spare === ended) this.#spare = this.#start()
    const index = this.#shards.indexOf(ended)
    if (index === -1) return
    this.#shards[index] = this.take()
    this.#tell('restarted', shard, `Another process took the place of ${shard.pid}, which ended.`)
  }

  #tell(type: 'frozen' | 'restarted', { pid }: ShardProcess, message: string): void {
    this.#settings.onEvent({ type, pid, message })
  }
}

const WHY = {
  cpu: 'did not answer while it used more CPU than it may',
  memory: 'used more memory than it may',
  silence: 'did not answer',
}

function timeout(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

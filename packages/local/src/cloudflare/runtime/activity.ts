import type { ActivityLine, TailEvent } from './protocol.ts'

/** How long a script that has answered may still be what keeps its process busy. */
const LINGER_MS = 30_000
const MAX_SUSPECTS = 4
const MAX_SCRIPTS = 5_000

interface ScriptActivity {
  /** Dispatches that have not answered. */
  running: number
  /** Invocations that are not over, `waitUntil` included. */
  open: number
  enteredAt: number
  leftAt: number
}

/** What a process is doing, by the lines it writes at the moment a dispatch enters a script and leaves it, and when all of an invocation is over. */
export class Activity {
  #onTail: (key: string, event: TailEvent) => void
  #dispatches = new Map<string, { key: string; cpuMs: number | undefined }>()
  /** The limits of dispatches that were inside since the process answered last. */
  #sinceAnswer = new Set<number | undefined>()
  /** Least recently entered first. */
  #scripts = new Map<string, ScriptActivity>()
  #changedAt = Date.now()

  constructor(onTail: (key: string, event: TailEvent) => void) {
    this.#onTail = onTail
  }

  read(json: string): void {
    const line = JSON.parse(json) as ActivityLine
    this.#changedAt = Date.now()
    if (line.type === 'enter') this.#enter(line)
    else if (line.type === 'leave') this.#leave(line.dispatch)
    else {
      this.#done(line.key)
      if (line.event) this.#onTail(line.key, line.event)
    }
  }

  /** Whether a dispatch is inside its script. */
  has(dispatch: string): boolean {
    return this.#dispatches.has(dispatch)
  }

  /** Since when nothing has run or was left over; undefined while something is. */
  get quietSince(): number | undefined {
    return [...this.#scripts.values()].some(({ running, open }) => running > 0 || open > 0) ? undefined : this.#changedAt
  }

  get scripts(): string[] {
    return [...this.#scripts.keys()]
  }

  /** The largest limit among what has run since the process answered last; a shorter one could hit a neighbour who is allowed more. */
  cpuLimitMs(defaultMs: number): number {
    const limits = [...this.#sinceAnswer].map((cpuMs) => cpuMs ?? defaultMs)
    return limits.length === 0 ? defaultMs : Math.max(...limits)
  }

  /** Notes that the process has answered: what is over by now has not kept it from that. */
  answered(): void {
    this.#sinceAnswer = new Set([...this.#dispatches.values()].map(({ cpuMs }) => cpuMs))
  }

  /** Who may be keeping the process from answering, most recent first: what runs or has work left over; if nothing has, whatever ran lately. */
  suspects(now: number): string[] {
    const recent = [...this.#scripts].reverse().filter(([, { running, leftAt }]) => running > 0 || now - leftAt < LINGER_MS)
    const busy = recent.filter(([, { open, running }]) => running > 0 || open > 0)
    return (busy.length > 0 ? busy : recent).slice(0, MAX_SUSPECTS).map(([key]) => key)
  }

  #enter({ dispatch, key, cpuMs }: Extract<ActivityLine, { type: 'enter' }>): void {
    this.#dispatches.set(dispatch, { key, cpuMs })
    this.#sinceAnswer.add(cpuMs)
    const script = this.#scripts.get(key) ?? { running: 0, open: 0, enteredAt: 0, leftAt: 0 }
    this.#scripts.delete(key)
    this.#scripts.set(key, { ...script, running: script.running + 1, open: script.open + 1, enteredAt: Date.now() })
    if (this.#scripts.size > MAX_SCRIPTS) this.#forgetOne()
  }

  #leave(dispatch: string): void {
    const key = this.#dispatches.get(dispatch)?.key
    this.#dispatches.delete(dispatch)
    const script = key === undefined ? undefined : this.#scripts.get(key)
    if (!script) return
    script.running--
    script.leftAt = Date.now()
  }

  #done(key: string): void {
    const script = this.#scripts.get(key)
    if (script) script.open = Math.max(script.open - 1, 0)
  }

  #forgetOne(): void {
    const [oldest] = [...this.#scripts].find(([, { running }]) => running === 0) ?? []
    if (oldest !== undefined) this.#scripts.delete(oldest)
  }
}

import { DurableObject } from 'cloudflare:workers'
import { countMethods, touch } from './tasks.ts'

/** workerd keeps alarms, with all it guarantees for them, and never comes to ring one: each lies a hundred years after the time that it was set to. */
const NEVER_MS = 100 * 365 * 86_400_000

/** An alarm that fails is tried again after 2 s, 4 s, … (https://developers.cloudflare.com/durable-objects/api/alarms/). */
const RETRY_MS = 1_000
const MAX_RETRIES = 6

interface AlarmState {
  touch(): void
  isRinging: boolean
  /** Whether the handler that runs, or somebody meanwhile, decided about the next alarm. */
  isDecided: boolean
  retries: number
}

type ObjectClass = new (ctx: DurableObjectState, env: unknown) => DurableObject<unknown>

const states = new WeakMap<DurableObjectStorage, AlarmState>()
const hooked = new WeakSet()

/** The same class, whose alarms go by the clock that is turned. Two more methods let that clock ask for the alarm and ring it. */
export function turnedObject(Original: ObjectClass, className: string): ObjectClass {
  const touched = (object: object): void => {
    if (object instanceof Turned) touch(className, object.clockId())
  }
  class Turned extends Original {
    constructor(ctx: DurableObjectState, env: unknown) {
      hookAlarms(ctx.storage)
      const id = ctx.id.toString()
      states.set(ctx.storage, { touch: () => touch(className, id), isRinging: false, isDecided: false, retries: 0 })
      super(ctx, env)
    }

    clockId(): string {
      return this.ctx.id.toString()
    }

    /** When the alarm is due, in milliseconds since 1970. */
    async clockDue(): Promise<number | null> {
      return this.ctx.storage.getAlarm()
    }

    /** Rings the alarm if it is due by now. Answers why it failed, if it did. */
    async clockRing(): Promise<string | undefined> {
      const { storage } = this.ctx
      const state = states.get(storage)
      state?.touch()
      const due = await storage.getAlarm()
      if (!state || due === null || due > Date.now()) return undefined
      return ring(state, storage, async (about) => this.alarm?.(about))
    }
  }
  countMethods(Original.prototype, DurableObject.prototype, touched)
  return Turned
}

async function ring(state: AlarmState, storage: DurableObjectStorage, alarm: (about: AlarmInvocationInfo) => Promise<unknown>): Promise<string | undefined> {
  const { retries } = state
  Object.assign(state, { isRinging: true, isDecided: false })
  try {
    await alarm({ isRetry: retries > 0, retryCount: retries, scheduledTime: Date.now() })
    state.retries = 0
    if (!state.isDecided) await storage.deleteAlarm()
    return undefined
  } catch (error) {
    state.retries = retries < MAX_RETRIES ? retries + 1 : 0
    if (!state.isDecided) await (state.retries === 0 ? storage.deleteAlarm() : storage.setAlarm(Date.now() + RETRY_MS * 2 ** state.retries))
    return error instanceof Error ? error.message : String(error)
  } finally {
    state.isRinging = false
  }
}

/** From now on alarms of every storage go by the turned clock. An alarm that rings counts as gone, as with workerd. */
function hookAlarms(storage: DurableObjectStorage): void {
  const prototype = Object.getPrototypeOf(storage) as DurableObjectStorage
  if (hooked.has(prototype)) return
  hooked.add(prototype)
  const { getAlarm, setAlarm, deleteAlarm } = prototype
  prototype.setAlarm = function (time, options) {
    decide(this)
    return setAlarm.call(this, Number(time) + NEVER_MS, options)
  }
  prototype.deleteAlarm = function (options) {
    decide(this)
    return deleteAlarm.call(this, options)
  }
  prototype.getAlarm = async function (options) {
    const state = states.get(this)
    if (state?.isRinging && !state.isDecided) return null
    const time = await getAlarm.call(this, options)
    return time === null ? null : time - NEVER_MS
  }
}

function decide(storage: DurableObjectStorage): void {
  const state = states.get(storage)
  if (!state) return
  state.isDecided = true
  state.touch()
}

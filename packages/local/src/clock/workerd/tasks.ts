import { sleepers } from './naps.ts'

/** What an isolate is at. `beats` grows with whatever begins or ends, so whoever looks twice sees whether something happened in between. */
export interface Look {
  beats: number
  /** Calls that have not returned. */
  running: number[]
  /** Promises given to `waitUntil` that have not settled. They may well be asleep. */
  waiting: number[]
  /** How many timers run that work at hand does not wait for. */
  sleepers: number
  /** Durable Objects that may have another alarm than when they were last told here. */
  touched: [className: string, id: string][]
}

type Method = (this: unknown, ...args: unknown[]) => unknown

interface Waiter {
  waitUntil(promise: Promise<unknown>): void
}

let last = 0
let beats = 0
const running = new Set<number>()
const waiting = new Set<number>()
const touched = new Map<string, [className: string, id: string]>()
const counted = new WeakSet<Method>()
const hooked = new WeakSet()

/** Tells what this isolate is at, and forgets which objects were touched. */
export function look(): Look {
  const seen = { beats, running: [...running], waiting: [...waiting], sleepers: sleepers(), touched: [...touched.values()] }
  touched.clear()
  return seen
}

/** Notes that a Durable Object may have another alarm now. */
export function touch(className: string, id: string): void {
  touched.set(`${className} ${id}`, [className, id])
}

/** Counts the calls of every method that a prototype has, those inherited from classes of the Worker's own included; `ended` hears of each that is over. */
export function countMethods(prototype: object, base: object, ended: (instance: object) => void = () => {}): void {
  for (let level: object | null = prototype; level !== null && level !== base && level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      const method: unknown = descriptor.value
      if (name === 'constructor' || typeof method !== 'function' || counted.has(method as Method)) continue
      Object.defineProperty(level, name, { ...descriptor, value: countedMethod(method as Method, ended) })
    }
  }
}

/** The same function, whose calls count as running until what they answer has come. */
export function countedMethod(method: Method, ended: (instance: object) => void = () => {}): Method {
  const counting: Method = function (...args) {
    const context = this as { ctx?: Waiter } | undefined
    if (context?.ctx) hookWaitUntil(context.ctx)
    const leave = enter(running)
    const end = () => {
      leave()
      if (context) ended(context)
    }
    try {
      const result = method.apply(this, args)
      if (isThenable(result)) void result.then(end, end)
      else end()
      return result
    } catch (error) {
      end()
      throw error
    }
  }
  counted.add(counting)
  return counting
}

/** From now on every context like this one counts what is given to its `waitUntil`. */
export function hookWaitUntil(context: Waiter): void {
  const prototype = Object.getPrototypeOf(context) as Waiter
  if (hooked.has(prototype)) return
  hooked.add(prototype)
  const real = prototype.waitUntil
  prototype.waitUntil = function (promise) {
    const leave = enter(waiting)
    Promise.resolve(promise).then(leave, leave)
    return real.call(this, promise)
  }
}

function enter(tasks: Set<number>): () => void {
  last += 1
  beats += 1
  const task = last
  tasks.add(task)
  return () => {
    beats += 1
    tasks.delete(task)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

import type { MiniflareOptions } from 'miniflare'
import { dialBinding, objectsBinding, type Consumer, type Plan } from './protocol.ts'

type WorkerOptions = MiniflareOptions['workers'][number]
type Config = WorkerOptions['config']
type Env = NonNullable<Config['env']>
type Trigger = NonNullable<Config['triggers']>[number]

/** How the Workers are to be turned. */
export interface Turning {
  /** Bundles of what runs within each Worker, and in the clock's own. */
  sources: { within: string; clock: string }
  token: string
  /** Where the clock's Worker listens, on 127.0.0.1. */
  port: number
  now: number
}

const CLOCK = 'clock'

/** What a queue does of which nothing is said (https://developers.cloudflare.com/queues/configuration/configure-queues/). */
const DEFAULT_BATCH_SIZE = 10
const DEFAULT_RETRIES = 3

/** The same Workers, on a clock of their own: each with what turns it, their queues in the clock's hand, and its Worker beside them. */
export function turnedOptions(options: MiniflareOptions, turning: Turning): MiniflareOptions {
  const turned = options.workers.map((worker) => turnedWorker(worker, turning))
  return { ...options, workers: [...turned, clockWorker(options.workers, turning)] }
}

/** The Durable Object classes of the Workers. */
export function objectClasses(workers: readonly WorkerOptions[]): { worker: string; className: string }[] {
  return workers.flatMap(({ config }) => classesOf(config).map((className) => ({ worker: config.name, className })))
}

function classesOf({ exports }: Config): string[] {
  return Object.entries(exports ?? {}).flatMap(([name, { type }]) => (type === 'durable-object' ? [name] : []))
}

function turnedWorker(worker: WorkerOptions, { sources, now }: Turning): WorkerOptions {
  const { config } = worker
  if (!config.manifest) return worker
  const { mainModule, modules } = config.manifest
  const own = {
    'clock-worker.js': wrapperOf(mainModule, classesOf(config)),
    'clock-start.js': `import { stand } from './clock-within.js'\nstand(${now})\n`,
    'clock-within.js': sources.within,
  }
  const manifest = { mainModule: 'clock-worker.js', modules: { ...esm(own), ...modules } }
  const env = Object.fromEntries(Object.entries(config.env ?? {}).map(([name, binding]) => [name, turnedBinding(binding)]))
  return { ...worker, config: { ...config, manifest, env, triggers: (config.triggers ?? []).filter((trigger) => trigger.type !== 'queue') } }
}

/** The clock starts before the Worker's own modules are run. */
function wrapperOf(main: string, classes: string[]): string {
  return [
    `import './clock-start.js'`,
    `import { attend, turnedObject } from './clock-within.js'`,
    `import * as own from './${main}'`,
    `export * from './${main}'`,
    `export { ClockDial } from './clock-within.js'`,
    `export default attend(own)`,
    ...classes.map((name) => `export const ${name} = turnedObject(own.${name}, '${name}')`),
    '',
  ].join('\n')
}

function turnedBinding(binding: Env[string]): Env[string] {
  return binding.type === 'queue' ? { type: 'worker', worker: CLOCK, exportName: 'ClockQueue', props: { queue: binding.name } } : binding
}

function clockWorker(workers: readonly WorkerOptions[], { sources, token, port, now }: Turning): WorkerOptions {
  const names = workers.filter(({ config }) => config.manifest).map(({ config }) => config.name)
  const plan: Plan = { token, now, workers: names, consumers: Object.fromEntries(workers.flatMap(({ config }) => consumersOf(config))) }
  const dials = names.map((worker) => [dialBinding(worker), { type: 'worker', worker, exportName: 'ClockDial' } as const])
  const objects = objectClasses(workers).map(
    ({ worker, className }) => [objectsBinding({ worker, className }), { type: 'durable-object', worker, exportName: className }] as const,
  )
  return {
    dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port }] },
    config: {
      name: CLOCK,
      manifest: { mainModule: 'clock.js', modules: esm({ 'clock.js': sources.clock }) },
      compatibilityDate: '2026-11-01',
      env: { PLAN: { type: 'text', value: JSON.stringify(plan) }, ...Object.fromEntries([...dials, ...objects]) },
    },
  }
}

function consumersOf({ name, triggers }: Config): [queue: string, consumer: Consumer][] {
  return (triggers ?? []).flatMap((trigger) => (trigger.type === 'queue' ? [[trigger.name, consumerOf(name, trigger)] as [string, Consumer]] : []))
}

function consumerOf(worker: string, trigger: Extract<Trigger, { type: 'queue' }>): Consumer {
  return {
    worker,
    maxBatchSize: trigger.maxBatchSize ?? DEFAULT_BATCH_SIZE,
    maxRetries: trigger.maxRetries ?? DEFAULT_RETRIES,
    retryDelaySeconds: trigger.retryDelay ?? 0,
    ...(trigger.deadLetterQueue === undefined ? {} : { deadLetterQueue: trigger.deadLetterQueue }),
  }
}

function esm(sources: Record<string, string>) {
  return Object.fromEntries(Object.entries(sources).map(([name, contents]) => [name, { type: 'esm', contents } as const]))
}

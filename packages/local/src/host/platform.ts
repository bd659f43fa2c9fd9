import { resolve } from 'node:path'
import { acquireStateLock } from '../state-lock.ts'
import type { LocalCloudflare } from '../cloudflare/cloudflare.ts'
import type { ClickHouseAccess } from '../analytics/open.ts'
import type { TurnableClock } from '../clock/turnable-clock.ts'
import { openLocalAnalytics, type LocalAnalytics } from './analytics.ts'
import { openCloudflare } from './cloudflare.ts'
import { createConsole, ensureAdminKey, writeDevFile, type Console } from './console.ts'
import type { Clock } from './crons.ts'
import { openLocalDatabase, type LocalDatabase } from './database.ts'
import type { PlatformEvent, PlatformListener } from './events.ts'
import { endOrphan } from './leash.ts'
import { readSecrets, type Secrets } from './local-configuration.ts'
import { miniflareOptions, type ExtraWorker } from './miniflare-options.ts'
import { chooseListening, clearly, freePort, portsOf, type Listening } from './ports.ts'
import { DEFAULT_V8_FLAGS, startRuntime, type LocalWorker, type Runtime } from './runtime.ts'
import { openSignIn, SIGN_IN_SERVICE, withSignIn, type LocalSignIn } from './sign-in.ts'
import { lazySourceMaps, sourcePositions } from './source-positions.ts'
import { Sources } from './sources.ts'
import { clearState } from './state.ts'
import { standingAt, timeOf, withRestarts } from './time.ts'
import { startUpkeep, type Upkeep } from './upkeep.ts'

/** What to start, and where. */
export interface PlatformOptions {
  /** The folder whose folders are the services. */
  root: string
  /** Where everything is kept; relative to the root. */
  stateDir: string
  /** 0 takes a free one. */
  port: number
  /** One address to listen on; this machine's own unless told. */
  host?: string
  /** A PostgreSQL to use in place of the embedded one. */
  databaseUrl?: string
  /** How db reaches it: what its `wrangler.jsonc` says, unless told. */
  databaseTransport?: 'http' | 'websocket' | 'tcp'
  /** A ClickHouse to use in place of the embedded one. */
  clickhouse?: ClickHouseAccess
  /** Forgets the state directory's content first. */
  fresh?: boolean
  /** Reloads when a source changes. */
  watch?: boolean
  /** Runs the Workers as they are deployed, minified. */
  minify?: boolean
  extraWorkers?: ExtraWorker[]
  /** Variables over those that a service has on this machine, by service. */
  variables?: Record<string, Record<string, string>>
  /** The extra Worker that stands for the internet where published code and outbound Workers ask it. */
  internet?: string
  onEvent?: PlatformListener
  /** The time crons go by; where it is one that is turned, all goes by it: Workers, alarms, queues and the embedded database. */
  clock?: Clock | TurnableClock
  /** Flags of V8 in place of the default ones. */
  v8Flags?: string[]
}

/** A platform that runs. */
export interface Platform {
  /** Where the gateway answers: `http://localhost:8787`. */
  url: string
  port: number
  services: string[]
  /** Addresses of the extra Workers that listen, by name. */
  workerUrls: Record<string, string>
  /** Absent in a workspace without a db service. */
  database?: { url: string; engine: string }
  /** Absent where events wait: without a db service, and where no ClickHouse is named and none is installed. */
  analytics?: { url: string; engine: string }
  /** Absent in a workspace without an auth service. `isNew` tells whether this start made the key. */
  admin?: { adminKey: string; isNew: boolean }
  /** Where mails end, and who signs people in besides; absent in a workspace without an auth service. */
  signIn?: Pick<LocalSignIn, 'mailbox' | 'workos'>
  /** What publishes and runs Workers here; absent in a workspace whose Workers dispatch to none. */
  cloudflare?: LocalCloudflare
  /** The processes that belong to it, besides the database's and those of published code. */
  pids(): Promise<{ host: number; workerd: number | undefined }>
  worker(name: string): Promise<LocalWorker>
  /** Takes over what changed in these files, or anywhere; answers the services that differ now. Fails when something in them is wrong, and then changes nothing. */
  reload(changed?: ReadonlySet<string>): Promise<string[]>
  /** Ends all of it. A second time is harmless. */
  stop(): Promise<void>
}

/** What a start has at hand before anything runs. */
export interface Ground {
  stateDir: string
  listening: Listening
  secrets: Secrets
  sources: Sources
  /** Runs a part of the start, and tells how long it took. */
  step<T>(name: string, run: () => Promise<T>): Promise<T>
  /** Leaves something to do when the platform ends; last come, first done. */
  defer(close: () => unknown): void
  onEvent: PlatformListener
}

/**
 * Starts a platform, which can answer once the promise resolves.
 * Fails when the state directory is in use, the port taken or a service wrong, and then leaves nothing behind.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const closers: (() => unknown)[] = []
  const stop = async () => {
    for (let close = closers.pop(); close; close = closers.pop()) await close()
  }
  try {
    const ground = await prepare(options, (close) => closers.push(close))
    return { ...(await run(options, ground)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function prepare(options: PlatformOptions, defer: Ground['defer']): Promise<Ground> {
  const root = resolve(options.root)
  const stateDir = resolve(root, options.stateDir)
  const onEvent = options.onEvent ?? (() => {})
  const lock = await acquireStateLock(stateDir)
  defer(lock.release)
  await endOrphan(stateDir)
  const listening = await chooseListening(options.port, options.host)
  await clearState(stateDir, options.fresh === true)
  const secrets = await readSecrets(stateDir)
  const sources = new Sources(root, { minify: options.minify === true })
  return { stateDir, listening, secrets, sources, step: stepper(onEvent), defer, onEvent }
}

async function run(options: PlatformOptions, ground: Ground): Promise<Omit<Platform, 'stop'>> {
  const { stateDir, listening, sources, step } = ground
  const { database, analytics, signIn } = await gather(options, ground)
  const services = sources.services.map(({ name }) => name)
  const shell = createConsole(services)
  const extraWorkers = [...(options.extraWorkers ?? []), ...(signIn ? [signIn.worker] : []), ...(shell ? [shell.worker] : [])]
  const extraPorts = await portsOf(extraWorkers)
  const home = `127.0.0.1:${await freePort()}`
  const cloudflare = await step('cloudflare', () => openCloudflare(ground, home))
  const { runtime, upkeep } = await runWorkers(options, ground, { database, analytics, signIn, cloudflare, home, extraWorkers, extraPorts })
  const url = `http://localhost:${listening.port}`
  const admin = shell && (await step('admin key', () => openConsole(stateDir, runtime, shell)))
  await writeDevFile(stateDir, {
    url,
    ...(admin ? { adminKey: admin.adminKey } : {}),
    pid: process.pid,
    services,
    ...(signIn ? { mailbox: signIn.mailbox.url } : {}),
    ...(cloudflare ? { cloudflare: cloudflare.access } : {}),
  })
  return {
    url,
    port: listening.port,
    services,
    workerUrls: Object.fromEntries([...extraPorts].map(([name, port]) => [name, `http://127.0.0.1:${port}`])),
    ...(database ? { database: { url: database.url, engine: database.engine } } : {}),
    ...(analytics ? { analytics: { url: analytics.url, engine: analytics.engine } } : {}),
    ...(admin ? { admin } : {}),
    ...(signIn ? { signIn } : {}),
    ...(cloudflare ? { cloudflare } : {}),
    pids: async () => ({ host: process.pid, workerd: await runtime.pid() }),
    worker: runtime.worker,
    reload: upkeep.reload,
  }
}

interface Stores {
  database: LocalDatabase | undefined
  analytics: LocalAnalytics | undefined
  signIn: LocalSignIn | undefined
}

/** All that can be had at the same time: the database, the analytics, the bundles, and Miniflare itself, whose reading takes as long as starting the Workers. */
async function gather(options: PlatformOptions, { stateDir, secrets, sources, step, defer, onEvent }: Ground): Promise<Stores> {
  const place = { root: resolve(options.root), stateDir, secrets, onEvent }
  const { databaseUrl, clickhouse, clock } = options
  const database = step('database', () => openLocalDatabase({ ...place, now: standingAt(clock), ...(databaseUrl === undefined ? {} : { databaseUrl }) }))
  const analytics = step('analytics', () => openLocalAnalytics({ ...place, ...(clickhouse === undefined ? {} : { clickhouse }) }))
  const signIn = step('sign-in', () => openSignIn({ ...place, given: options.variables?.[SIGN_IN_SERVICE] ?? {} }))
  for (const opening of [database, analytics, signIn]) {
    opening.then(
      (opened) => defer(() => opened?.close()),
      () => {},
    )
  }
  const parts = [database, analytics, signIn, step('bundles', () => sources.refresh()), step('runtime', () => import('miniflare'))]
  for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason
  return { database: await database, analytics: await analytics, signIn: await signIn }
}

interface Cast extends Stores {
  cloudflare: LocalCloudflare | undefined
  /** Where published code reaches the platform's Workers. */
  home: string
  extraWorkers: ExtraWorker[]
  extraPorts: ReadonlyMap<string, number>
}

async function runWorkers(
  options: PlatformOptions,
  ground: Ground,
  { database, analytics, signIn, cloudflare, home, ...extra }: Cast,
): Promise<{ runtime: Runtime; upkeep: Upkeep }> {
  const { stateDir, listening, secrets, sources, step, defer, onEvent } = ground
  const time = await timeOf(options.clock, { stateDir, database })
  const current = () => {
    const code = new Map([...sources.bundles].map(([name, bundle]) => [name, bundle.code]))
    const { internet, databaseTransport } = options
    const timeless = miniflareOptions({
      services: sources.services,
      code,
      stateDir,
      secrets,
      database,
      databaseTransport,
      analytics,
      cloudflare,
      internet,
      variables: withSignIn(options.variables, signIn),
      ...listening,
      ...extra,
    })
    return time.options(timeless)
  }
  const told = withRestarts(time, inSources(onEvent, sources))
  const settings = { stateDir, debugAddress: cloudflare && home, v8Flags: options.v8Flags ?? DEFAULT_V8_FLAGS, onEvent: told }
  const runtime = await step('workers', () => startRuntime(settings, current()).catch(clearly(listening.port)))
  defer(runtime.stop)
  await time.around(async () => {})
  const upkeep = await startUpkeep({ sources, runtime, database, options: current, onEvent, time }, options.watch === true)
  defer(upkeep.stop)
  return { runtime, upkeep }
}

async function openConsole(stateDir: string, runtime: Runtime, { token }: Console) {
  return ensureAdminKey(stateDir, await runtime.worker('console'), token)
}

function stepper(onEvent: PlatformListener): Ground['step'] {
  return async (name, run) => {
    const start = performance.now()
    const result = await run()
    onEvent({ type: 'step', name, elapsedMs: performance.now() - start })
    return result
  }
}

function inSources(onEvent: PlatformListener, sources: Sources): PlatformListener {
  const mapOf = lazySourceMaps((service) => sources.bundles.get(service)?.sourceMap)
  return (event: PlatformEvent) => onEvent(event.type === 'log' ? { ...event, message: sourcePositions(event.message, mapOf) } : event)
}

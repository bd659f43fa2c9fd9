import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startControlServer } from './control-server.ts'
import { residentOf, type ScriptSource } from './delivery.ts'
import type { RuntimeListener } from './events.ts'
import type { IdleRule } from './idleness.ts'
import { PLUGIN } from './plugin.ts'
import { Processes, type ProcessView } from './processes.ts'
import { scriptKey, type DispatchCall, type ScriptName, type TailEvent } from './protocol.ts'
import { startShardProcess, type ShardProcess } from './shard-process.ts'
import { sourceNamed } from './source-named.ts'
import { Tails, type TailListener } from './tail.ts'
import { hostConfig, type HostSettings } from './workerd-config.ts'
import { workerSource } from './worker-source.ts'

/** How the runtime is started. */
export interface RuntimeOptions {
  store: ScriptSource
  /** A folder of the runtime's own, for this user alone. */
  stateDir: string
  /** The debug port of the process that Miniflare runs, as `host:port`: service bindings and outbound Workers lead there. */
  home: string
  /** Processes that published scripts share. */
  shards?: number
  /** CPU a script may use between two moments at which its process answers, unless its dispatch says otherwise. */
  cpuMs?: number
  /** Memory of a process. */
  residentBytes?: number
  /** When an idle process is given up for a fresh one. */
  idle?: IdleRule
  /** Scripts a process keeps; the least recently used goes when there are more. */
  maxResident?: number
  onEvent?: RuntimeListener
}

/** Where outgoing requests of a namespace's scripts pass: `outbound` of a dispatch namespace binding. */
export interface Outbound {
  worker: string
  parameters?: string[]
}

/** Executes published scripts. */
export interface Runtime {
  /** A value for `env` of a Miniflare Worker: the binding of a dispatch namespace. */
  dispatchNamespace(namespace: string, outbound?: Outbound): DispatchNamespaceBinding
  tail: { subscribe(namespace: string, name: string, listener: TailListener): () => void }
  /** Calls a script's `scheduled`. Fails when that fails or the script is not there. */
  scheduled(namespace: string, name: string, controller: { cron: string; scheduledTime: number }): Promise<void>
  readonly pids: number[]
  placements(): Promise<ProcessView[]>
  stop(): Promise<void>
}

/** What Miniflare takes for a binding it does not know itself. */
export interface DispatchNamespaceBinding {
  type: `unsafe:${string}`
  dev: { plugin: { package: string; name: string }; options: Record<string, unknown> }
}

const DEFAULTS = { shards: 2, cpuMs: 1_000, residentBytes: 1 << 30, idle: { idleMs: 20_000, residentBytes: 192 * 2 ** 20 }, maxResident: 500 }

/** Starts the processes and waits until they listen. They end with this one, however that ends. */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const settings = { ...DEFAULTS, onEvent: () => {}, ...options }
  const token = randomBytes(32).toString('base64url')
  const control = await startControlServer({ store: settings.store, token, placements: () => processes.placements })
  const code = await workerSource('binding.ts')
  const configFile = await writeHost(settings, { address: control.address, token })
  const tails = new Tails((keys) => void processes.tellAll('/hear', keys))
  const failed = (error: unknown): void =>
    settings.onEvent({ type: 'log', message: `A trace event was lost: ${error instanceof Error ? error.message : String(error)}` })
  const onTail = (key: string, event: TailEvent): void =>
    void sourceNamed(settings.store, event)
      .then((named) => tails.publish(key, named))
      .catch(failed)
  const start = (): Promise<ShardProcess> => startShardProcess({ configFile, token, onTail })
  const onLive = (shard: ShardProcess): void => void (tails.keys.length > 0 && shard.call('/hear', tails.keys).catch(() => shard.exit))
  const processes = new Processes({ shards: settings.shards, ceilings: settings, idle: settings.idle, start, onLive, onEvent: settings.onEvent })
  const unsubscribe = settings.store.onChange((change) => processes.drop(scriptKey(change)))
  const stop = async (): Promise<void> => {
    unsubscribe()
    await processes.stop()
    await control.close()
    await removeHost(settings.stateDir)
  }
  await processes.ready().catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    dispatchNamespace: (namespace, outbound) => bindingOf({ namespace, outbound: outboundOf(outbound), control: { address: control.address, token }, code }),
    tail: { subscribe: (namespace, name, listener) => tails.subscribe(scriptKey({ namespace, name }), listener) },
    scheduled: (namespace, name, controller) => scheduled({ store: settings.store, processes, script: { namespace, name } }, controller),
    get pids() {
      return processes.pids
    },
    placements: () => processes.view(),
    stop,
  }
}

async function writeHost(
  { stateDir, home, maxResident }: Pick<Required<RuntimeOptions>, 'stateDir' | 'home' | 'maxResident'>,
  control: HostSettings['control'],
): Promise<string> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  const configFile = join(stateDir, 'host.capnp')
  await writeFile(join(stateDir, 'host.js'), await workerSource('host.ts'), { mode: 0o600 })
  await writeFile(configFile, hostConfig({ control, home, maxResident }), { mode: 0o600 })
  return configFile
}

/** The token goes with the processes that were given it. */
async function removeHost(stateDir: string): Promise<void> {
  for (const file of ['host.capnp', 'host.js']) await rm(join(stateDir, file), { force: true })
}

function bindingOf(options: Record<string, unknown>): DispatchNamespaceBinding {
  const plugin = { package: fileURLToPath(new URL('plugin.ts', import.meta.url)), name: PLUGIN }
  return { type: 'unsafe:dispatch-namespace', dev: { plugin, options } }
}

function outboundOf(outbound: Outbound | undefined): Required<Outbound> | null {
  return outbound ? { worker: outbound.worker, parameters: outbound.parameters ?? [] } : null
}

interface Target {
  store: ScriptSource
  processes: Processes
  script: ScriptName
}

async function scheduled({ store, processes, script: { namespace, name } }: Target, controller: { cron: string; scheduledTime: number }): Promise<void> {
  const script = await store.getScript(namespace, name)
  if (!script) throw new Error('Worker not found.')
  const call: DispatchCall = { id: randomUUID(), namespace, name, args: {}, limits: {} }
  const { status, text } = await processes.call(residentOf(script), '/scheduled', { call, controller })
  if (status !== 200) throw new Error(text)
  const { outcome } = JSON.parse(text) as { outcome: string }
  if (outcome !== 'ok') throw new Error(`The script's scheduled event ended with the outcome ${outcome}.`)
}

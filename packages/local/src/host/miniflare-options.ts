import { join } from 'node:path'
import type { MiniflareOptions } from 'miniflare'
import type { LocalCloudflare } from '../cloudflare/cloudflare.ts'
import { withOutboundParameters } from '../cloudflare/outbound.ts'
import type { LocalDatabase } from './database.ts'
import type { LocalAnalytics } from './analytics.ts'
import { OUTBOX } from '../mail/outbox.ts'
import { internetFor, internetWorkers, outboundWorkers } from './internet.ts'
import { DATABASE_SERVICE, FRONT_SERVICE, localEnv, PUBLISHING_SERVICE, type Secrets } from './local-configuration.ts'
import type { WorkspaceService, WranglerConfig } from './workspace.ts'

type WorkerOptions = MiniflareOptions['workers'][number]
type Env = NonNullable<WorkerOptions['config']['env']>
type Json = Extract<Env[string], { type: 'json' }>['value']

/** A Worker given as source, beside those of the workspace: for tests, measurements and the host's own use. */
export interface ExtraWorker {
  name: string
  /** One ES module. */
  source: string
  /** Service bindings by name. */
  bindings?: Record<string, { service: string; entrypoint?: string; props?: Record<string, unknown> }>
  /** Text bindings by name. */
  vars?: Record<string, string>
  /** Queues it may put messages into, by binding. */
  queues?: Record<string, string>
  /** Queues whose messages its `queue` gets, one at a time. */
  consumes?: string[]
  /** Dispatch namespaces by binding, without an outbound Worker. */
  namespaces?: Record<string, string>
  /** Durable Objects of a service by binding. */
  objects?: Record<string, { service: string; className: string }>
  /** HTTP servers of this machine, `host:port`, by binding. */
  servers?: Record<string, string>
  /** Whether it has a socket of its own; its address is then in `Platform.workerUrls`. */
  listens?: boolean
}

/** All that decides what runs. */
export interface Scene {
  services: WorkspaceService[]
  /** Bundled code by service. */
  code: ReadonlyMap<string, string>
  extraWorkers: ExtraWorker[]
  /** Ports of the extra Workers that listen. */
  extraPorts: ReadonlyMap<string, number>
  /** Addresses the front service listens on. */
  hosts: string[]
  port: number
  secrets: Secrets
  database?: Pick<LocalDatabase, 'url' | 'postgresUrl'> | undefined
  /** How db reaches it, where that is not what its `wrangler.jsonc` says. */
  databaseTransport?: 'http' | 'websocket' | 'tcp' | undefined
  /** Absent where there is no ClickHouse: events wait. */
  analytics?: Omit<LocalAnalytics, 'close'> | undefined
  stateDir: string
  /** Runs what is published; absent in a workspace whose Workers publish nothing. */
  cloudflare?: Pick<LocalCloudflare, 'dispatchNamespace' | 'access'> | undefined
  /** The extra Worker that stands for the internet where Workers ask it that reach nothing else. */
  internet?: string | undefined
  /** Variables over all others, by service. */
  variables?: Record<string, Record<string, string>> | undefined
}

/** The part of the options that follows from what is to run: Workers, sockets, storage. */
export function miniflareOptions(scene: Scene): MiniflareOptions {
  const workers = [...scene.services.map((service) => serviceOptions(scene, service)), ...scene.extraWorkers.map((worker) => extraOptions(scene, worker))]
  workers.push(...internetWorkers(scene))
  openFrontDoor(scene, workers)
  return {
    host: '127.0.0.1',
    port: 0,
    // Otherwise a start asks the network for a sample of `request.cf`.
    cf: false,
    telemetry: { enabled: false },
    enableDevRegistry: false,
    resourcePersistencePath: join(scene.stateDir, 'workers'),
    resourceTmpPath: join(scene.stateDir, 'tmp'),
    workers,
  }
}

/** Outside traffic goes straight to the front service: the entry proxy of Miniflare costs a factor of 4.5. A Worker has one socket, so further addresses hang on others. */
function openFrontDoor({ services, hosts, port, extraPorts }: Scene, workers: WorkerOptions[]): void {
  const front = services.find(({ name }) => name === FRONT_SERVICE)
  if (!front) return
  const carriers = workers.filter(({ config }) => config.name !== FRONT_SERVICE && !extraPorts.has(config.name))
  const ordered = [...workers.filter(({ config }) => config.name === FRONT_SERVICE), ...carriers]
  for (const [index, host] of hosts.entries()) {
    const carrier = ordered[index]
    if (carrier) carrier.dev = { unsafeDirectSockets: [{ host, port, serviceName: FRONT_SERVICE }] }
  }
}

function serviceOptions(scene: Scene, service: WorkspaceService): WorkerOptions {
  const { name, config } = service
  const consumers = config.queues?.consumers ?? []
  const code = scene.code.get(name) ?? ''
  const isOutbound = outboundWorkers(scene).has(name)
  return {
    ...internetFor(scene, service),
    config: {
      ...modulesOf(name, isOutbound ? withOutboundParameters(code) : { [`${name}.js`]: code }),
      compatibilityDate: config.compatibility_date,
      compatibilityFlags: config.compatibility_flags ?? [],
      env: {
        ...envOf(name, config),
        ...namespaceEnv(scene, config),
        ...mailEnv(scene, config),
        ...textEnv(localEnv(name, scene.port, scene.secrets)),
        ...databaseEnv(name, scene),
        ...analyticsEnv(name, scene.analytics),
        ...publishingEnv(name, scene.cloudflare),
        ...textEnv(scene.variables?.[name] ?? {}),
      },
      exports: Object.fromEntries(sqliteClassesOf(config).map((className) => [className, { type: 'durable-object', storage: 'sqlite' } as const])),
      triggers: consumers.map((consumer) => ({ type: 'queue', ...consumerOf(consumer) }) as const),
    },
  }
}

function extraOptions(scene: Scene, worker: ExtraWorker): WorkerOptions {
  const { services, extraPorts } = scene
  const dispatch_namespaces = Object.entries(worker.namespaces ?? {}).map(([binding, namespace]) => ({ binding, namespace }))
  const bindings = Object.entries(worker.bindings ?? {}).map(([name, { service, entrypoint, props }]) => [name, workerBinding(service, entrypoint, props)])
  const servers = Object.entries(worker.servers ?? {}).map(([name, address]) => [name, { type: 'external', address, http: {} } as const])
  const producers = Object.entries(worker.queues ?? {}).map(([binding, name]) => [binding, { type: 'queue', name } as const])
  const objects = Object.entries(worker.objects ?? {}).map(
    ([binding, { service, className }]) => [binding, { type: 'durable-object', worker: service, exportName: className }] as const,
  )
  const port = extraPorts.get(worker.name)
  return {
    config: {
      ...modulesOf(worker.name, { [`${worker.name}.js`]: worker.source }),
      compatibilityDate: services[0]?.config.compatibility_date ?? '2026-11-01',
      env: {
        ...textEnv(worker.vars ?? {}),
        ...Object.fromEntries(bindings),
        ...Object.fromEntries([...producers, ...servers, ...objects]),
        ...namespaceEnv(scene, { dispatch_namespaces }),
      },
      triggers: (worker.consumes ?? []).map((name) => ({ type: 'queue', name, maxBatchSize: 1, maxBatchTimeout: 0 }) as const),
    },
    ...(port === undefined ? {} : { dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port }] } }),
  }
}

/** A Worker of these ES modules, the main one first. */
function modulesOf(name: string, sources: Record<string, string>) {
  const [mainModule = ''] = Object.keys(sources)
  const modules = Object.fromEntries(Object.entries(sources).map(([module, contents]) => [module, { type: 'esm', contents } as const]))
  return { name, manifest: { mainModule, modules } }
}

function envOf(name: string, config: WranglerConfig): Env {
  const env: Env = {}
  for (const [key, value] of Object.entries(config.vars ?? {}))
    env[key] = typeof value === 'string' ? { type: 'text', value } : { type: 'json', value: value as Json }
  for (const { binding, service, entrypoint, props } of config.services ?? []) env[binding] = workerBinding(service, entrypoint, props)
  for (const { name: binding, class_name, script_name } of config.durable_objects?.bindings ?? []) {
    env[binding] = { type: 'durable-object', worker: script_name ?? name, exportName: class_name }
  }
  for (const { binding, queue, delivery_delay } of config.queues?.producers ?? []) {
    env[binding] = { type: 'queue', name: queue, ...(delivery_delay === undefined ? {} : { deliveryDelay: delivery_delay }) }
  }
  for (const { binding, id } of config.kv_namespaces ?? []) env[binding] = { type: 'kv', id: id ?? binding }
  for (const { binding, bucket_name } of config.r2_buckets ?? []) env[binding] = { type: 'r2', name: bucket_name ?? binding }
  return env
}

function workerBinding(worker: string, exportName: string | undefined, props: Record<string, unknown> | undefined): Env[string] {
  return { type: 'worker', worker, ...(exportName === undefined ? {} : { exportName }), ...(props === undefined ? {} : { props }) }
}

function textEnv(values: Record<string, string>): Env {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { type: 'text', value } as const]))
}

function publishingEnv(name: string, cloudflare: Scene['cloudflare']): Env {
  if (name !== PUBLISHING_SERVICE || !cloudflare) return {}
  const { apiBaseUrl, accountId } = cloudflare.access
  return textEnv({ CLOUDFLARE_API_BASE_URL: apiBaseUrl, CLOUDFLARE_ACCOUNT_ID: accountId })
}

/** The namespaces a Worker dispatches to, each with the Worker that published code's requests go through. */
function namespaceEnv({ cloudflare }: Scene, config: Pick<WranglerConfig, 'dispatch_namespaces'>): Env {
  const bindings = (config.dispatch_namespaces ?? []).map(({ binding, namespace, outbound }) => [
    binding,
    cloudflare?.dispatchNamespace(namespace, outbound && { worker: outbound.service, parameters: outbound.parameters ?? [] }),
  ])
  return Object.fromEntries(bindings.filter(([, value]) => value !== undefined))
}

/** Cloudflare's binding for mail is here the Worker that keeps them. */
function mailEnv({ extraWorkers }: Scene, { send_email }: WranglerConfig): Env {
  if (!extraWorkers.some(({ name }) => name === OUTBOX.worker)) return {}
  return Object.fromEntries((send_email ?? []).map(({ name }) => [name, workerBinding(OUTBOX.worker, OUTBOX.entrypoint, undefined)]))
}

function databaseEnv(name: string, { database, databaseTransport }: Scene): Env {
  if (name !== DATABASE_SERVICE || !database) return {}
  const transport = databaseTransport === undefined ? {} : { DATABASE_TRANSPORT: databaseTransport }
  return { ...textEnv({ DATABASE_URL: database.postgresUrl, ...transport }), DATABASE: { type: 'external', address: new URL(database.url).host, http: {} } }
}

/** The embedded ClickHouse is bound; another is found by its URL. */
function analyticsEnv(name: string, analytics: Scene['analytics']): Env {
  if (name !== DATABASE_SERVICE || !analytics) return {}
  const { engine, url, user, password } = analytics
  const access = textEnv({ CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password })
  return engine === 'embedded' ? { ...access, CLICKHOUSE: { type: 'external', address: new URL(url).host, http: {} } } : access
}

function sqliteClassesOf(config: WranglerConfig): string[] {
  return config.migrations?.flatMap((migration) => migration.new_sqlite_classes ?? []) ?? []
}

function consumerOf(consumer: NonNullable<NonNullable<WranglerConfig['queues']>['consumers']>[number]) {
  const settings = {
    deadLetterQueue: consumer.dead_letter_queue,
    maxBatchSize: consumer.max_batch_size,
    maxBatchTimeout: consumer.max_batch_timeout,
    maxConcurrency: consumer.max_concurrency ?? undefined,
    maxRetries: consumer.max_retries,
    retryDelay: consumer.retry_delay,
  }
  return { name: consumer.queue, ...Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) }
}

import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { parse, printParseErrorCode, type ParseError } from 'jsonc-parser'
import * as z from 'zod'

const CONFIG_FILE = 'wrangler.jsonc'

const ServiceBinding = z.object({
  binding: z.string(),
  service: z.string(),
  entrypoint: z.string().optional(),
  props: z.record(z.string(), z.json()).optional(),
})

const DurableObjectBinding = z.object({ name: z.string(), class_name: z.string(), script_name: z.string().optional() })

const QueueConsumer = z.object({
  queue: z.string(),
  max_batch_size: z.int().optional(),
  max_batch_timeout: z.number().optional(),
  max_retries: z.int().optional(),
  max_concurrency: z.int().nullish(),
  dead_letter_queue: z.string().optional(),
  retry_delay: z.number().optional(),
})

const DispatchNamespaceBinding = z.object({
  binding: z.string(),
  namespace: z.string(),
  outbound: z.object({ service: z.string(), parameters: z.array(z.string()).optional() }).optional(),
})

/** https://developers.cloudflare.com/workers/wrangler/configuration/ */
const WranglerConfigShape = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be lower case letters, digits and hyphens'),
  main: z.string(),
  compatibility_date: z.iso.date(),
  compatibility_flags: z.array(z.string()).optional(),
  vars: z.record(z.string(), z.json()).optional(),
  services: z.array(ServiceBinding).optional(),
  durable_objects: z.object({ bindings: z.array(DurableObjectBinding) }).optional(),
  migrations: z.array(z.object({ tag: z.string(), new_sqlite_classes: z.array(z.string()).optional() })).optional(),
  queues: z
    .object({
      producers: z.array(z.object({ binding: z.string(), queue: z.string(), delivery_delay: z.number().optional() })).optional(),
      consumers: z.array(QueueConsumer).optional(),
    })
    .optional(),
  kv_namespaces: z.array(z.object({ binding: z.string(), id: z.string().optional() })).optional(),
  dispatch_namespaces: z.array(DispatchNamespaceBinding).optional(),
  send_email: z.array(z.object({ name: z.string() })).optional(),
  r2_buckets: z.array(z.object({ binding: z.string(), bucket_name: z.string().optional() })).optional(),
  triggers: z.object({ crons: z.array(z.string()).optional() }).optional(),
  rules: z.array(z.object({ type: z.string(), globs: z.array(z.string()), fallthrough: z.boolean().optional() })).optional(),
})

/** The part of a `wrangler.jsonc` that has a meaning on one machine; other fields are let through unread. */
export type WranglerConfig = z.infer<typeof WranglerConfigShape>

/** A Worker of the workspace. */
export interface WorkspaceService {
  name: string
  /** Absolute path of its folder. */
  folder: string
  /** Absolute path of its main module. */
  main: string
  /** Absolute path of its `wrangler.jsonc`. */
  configFile: string
  config: WranglerConfig
}

/** Finds the services under a root: every folder directly in it that has a `wrangler.jsonc`, by name. Fails with a sentence naming the file and the field. */
export async function discoverServices(root: string): Promise<WorkspaceService[]> {
  const entries = await readdir(root, { withFileTypes: true })
  const folders = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
    .map(({ name }) => join(root, name))
  const services = await Promise.all(folders.filter((folder) => existsSync(join(folder, CONFIG_FILE))).map((folder) => readService(root, folder)))
  if (services.length === 0) throw new Error(`${root}: no folder here holds a ${CONFIG_FILE}`)
  services.sort((one, other) => (one.name < other.name ? -1 : 1))
  refuseUnknownTargets(root, services)
  return services
}

async function readService(root: string, folder: string): Promise<WorkspaceService> {
  const configFile = join(folder, CONFIG_FILE)
  const shown = relative(root, configFile)
  const config = await readConfig(configFile, shown)
  if (join(root, config.name) !== folder) throw new Error(`${shown}: name is ${config.name}, but a Worker is named after its folder`)
  const main = join(folder, config.main)
  if (!existsSync(main)) throw new Error(`${shown}: main names ${config.main}, which does not exist`)
  return { name: config.name, folder, main, configFile, config }
}

async function readConfig(file: string, shown: string): Promise<WranglerConfig> {
  const text = await readFile(file, 'utf8')
  const errors: ParseError[] = []
  const value: unknown = parse(text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first) throw new Error(`${shown}: line ${text.slice(0, first.offset).split('\n').length}: ${printParseErrorCode(first.error)}`)
  const result = WranglerConfigShape.safeParse(value)
  if (result.success) return result.data
  throw new Error(result.error.issues.map((issue) => `${shown}: ${z.core.toDotPath(issue.path) || 'the file'}: ${issue.message}`).join('\n'))
}

function refuseUnknownTargets(root: string, services: WorkspaceService[]): void {
  const names = new Set(services.map(({ name }) => name))
  for (const { configFile, config } of services) {
    const unknown = config.services?.findIndex(({ service }) => !names.has(service)) ?? -1
    if (unknown === -1) continue
    throw new Error(`${relative(root, configFile)}: services[${unknown}].service: no folder here holds a Worker named ${config.services?.[unknown]?.service}`)
  }
}

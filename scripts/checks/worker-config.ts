import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'jsonc-parser'

/** One entry of `services` in a `wrangler.jsonc`. */
export interface ServiceBinding {
  binding?: string
  service?: string
  entrypoint?: string
  props?: { principal?: { id?: string; permissions?: string[] }; delegate?: { permissions?: string[] } }
}

/** The part of a `wrangler.jsonc` that the checks read. Everything may be missing: that is what they look for. */
export interface WorkerConfig {
  name?: string
  compatibility_date?: string
  workers_dev?: boolean
  preview_urls?: boolean
  vars?: Record<string, unknown>
  services?: ServiceBinding[]
  durable_objects?: { bindings?: { name?: string; class_name?: string; script_name?: string }[] }
  migrations?: { new_sqlite_classes?: string[] }[]
  queues?: { producers?: { binding?: string; queue?: string }[] }
  kv_namespaces?: { binding?: string }[]
  r2_buckets?: { binding?: string }[]
}

/** A service's configuration, as text too, to find lines in. */
export interface ReadConfig {
  file: string
  text: string
  config: WorkerConfig
}

/** Reads a service's `wrangler.jsonc`. */
export async function readWorkerConfig(root: string, service: string): Promise<ReadConfig> {
  const file = `${service}/wrangler.jsonc`
  const text = await readFile(join(root, file), 'utf8')
  return { file, text, config: parse(text, [], { allowTrailingComma: true }) as WorkerConfig }
}

/** Every name that a configuration puts into env: vars, and bindings of whatever kind. */
export function namesInEnv(config: WorkerConfig): string[] {
  const objects = (config.durable_objects?.bindings ?? []).flatMap(({ name }) => name ?? [])
  return [...Object.keys(config.vars ?? {}), ...objects, ...bindingsWithin(config)]
}

/** All kinds of bindings but Durable Objects call their name `binding`. Props and vars are a caller's own words and hold none. */
function bindingsWithin(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const own = 'binding' in value && typeof value.binding === 'string' ? [value.binding] : []
  const nested = Object.entries(value).filter(([field]) => field !== 'props' && field !== 'vars')
  return [...own, ...nested.flatMap(([, inner]) => bindingsWithin(inner))]
}

/** What a module is to the runtime that loads it. */
export type ModuleType = 'esm' | 'cjs' | 'text' | 'data' | 'json' | 'wasm' | 'sourcemap'

/** Bytes that the store keeps under their own SHA-256, in hex. */
export interface Blob {
  sha256: string
  sizeBytes: number
}

/** One file of a script's code, under the name other modules import it by. */
export interface ScriptModule extends Blob {
  name: string
  type: ModuleType
}

/** A binding as it was uploaded, with the text of a secret inside: the store's owner reads it, the API never answers it. */
export type Binding =
  | { type: 'plain_text'; name: string; text: string }
  | { type: 'secret_text'; name: string; text: string }
  | { type: 'json'; name: string; json: unknown }
  /** `part` names a module. */
  | { type: 'text_blob' | 'data_blob' | 'wasm_module'; name: string; part: string }
  | { type: 'service'; name: string; service: string; environment?: string; entrypoint?: string; props?: Record<string, unknown> }
  | { type: 'assets'; name: string }
  | { type: 'version_metadata'; name: string }
  | { type: 'durable_object_namespace'; name: string; class_name: string; script_name?: string }
  | ResourceBinding

/** What a Worker holds of its account besides scripts. It is kept and told; the runtime refuses to load a script that has one. */
export type ResourceBinding =
  | { type: 'queue'; name: string; queue_name: string }
  | { type: 'kv_namespace'; name: string; namespace_id: string }
  | { type: 'r2_bucket'; name: string; bucket_name: string }
  | { type: 'send_email'; name: string; destination_address?: string; allowed_destination_addresses?: string[]; allowed_sender_addresses?: string[] }
  | { type: 'dispatch_namespace'; name: string; namespace: string; outbound?: { worker: { service: string }; params?: { name: string }[] } }

/** A static file of a script. */
export interface Asset extends Blob {
  /** What the uploader calls these bytes; 32 hex digits that are not checked against them. */
  hash: string
  /** Absent when the file is to be served without a type. */
  contentType?: string
}

/** A script's static files by URL path, and how they are to be served. */
export interface ScriptAssets {
  manifest: Record<string, Asset>
  /** As uploaded: `html_handling`, `not_found_handling`, `run_worker_first`, `_headers`, `_redirects`. */
  config: Record<string, unknown>
}

/** The Durable Object classes a script's migrations left it with. */
export interface ScriptMigrations {
  tag?: string
  classes: { name: string; storage: 'sqlite' | 'key-value' }[]
}

/** One upload; what the binding `version_metadata` tells. */
export interface ScriptVersion {
  id: string
  tag?: string
  message?: string
  createdOn: string
}

/** All of a script that an upload decides. */
export interface ScriptContent {
  /** Absent when the script is only static files. */
  mainModule?: string
  modules: ScriptModule[]
  /** What the main module answers to, as far as its text tells. */
  handlers: string[]
  /** Classes and objects the main module exports by name. */
  namedExports: string[]
  bindings: Binding[]
  compatibilityDate?: string
  compatibilityFlags: string[]
  tags: string[]
  limits?: Record<string, unknown>
  observability?: Record<string, unknown>
  logpush?: boolean
  placement?: Record<string, unknown>
  tailConsumers?: Record<string, unknown>[]
  assets?: ScriptAssets
  migrations?: ScriptMigrations
  version: ScriptVersion
}

/** A script as it stands. */
export interface Script extends ScriptContent {
  namespace: string
  name: string
  /** Stays the same for as long as the script exists. */
  id: string
  /** Changes exactly when the code does. */
  etag: string
  createdOn: string
  modifiedOn: string
}

/** A set of scripts. */
export interface Namespace {
  id: string
  name: string
  createdOn: string
  modifiedOn: string
}

/** A write that is on the disk. */
export interface Change {
  namespace: string
  name: string
  kind: 'put' | 'delete'
}

import * as z from 'zod'
import { argument } from './tenant-props.ts'

/** The longest key: KV takes 512 bytes, of which the tenant's own prefix has up to 64. */
const MAX_KEY_BYTES = 448

/** 25 MiB, KV's own limit. */
const MAX_VALUE_BYTES = 26_214_400

const Key = z
  .string()
  .min(1)
  .refine((key) => new TextEncoder().encode(key).length <= MAX_KEY_BYTES, `must have at most ${MAX_KEY_BYTES} bytes`)
const Form = z.enum(['text', 'json', 'arrayBuffer']).default('text')
const Value = z
  .union([z.string(), z.instanceof(ArrayBuffer), z.instanceof(Uint8Array)], 'must be a string, an ArrayBuffer or a Uint8Array')
  .refine((value) => sizeOf(value) <= MAX_VALUE_BYTES, 'must have at most 25 MiB')
const PutOptions = z.strictObject({ expirationTtl: z.int().min(60).max(315_360_000).optional() }).default({})
const ListOptions = z
  .strictObject({ prefix: z.string().max(MAX_KEY_BYTES).default(''), cursor: z.string().max(4096).optional(), limit: z.int().min(1).max(1000).default(1000) })
  .prefault({})

/** One page of a tenant's keys. */
export interface KeyPage {
  keys: { name: string; expiration?: number }[]
  cursor: string | null
}

/** Small values by key, as one tenant sees them: keys of others neither appear nor can be named. */
export class TenantValues {
  readonly #kv: KVNamespace
  readonly #prefix: string

  /** No tenant's name contains a slash, so no prefix begins another. */
  constructor(kv: KVNamespace, tenant: string) {
    this.#kv = kv
    this.#prefix = `${tenant}/`
  }

  /** A value, null if there is none. As text unless told. */
  get(key: unknown, form?: unknown): Promise<unknown> {
    const name = this.#name(key)
    const as = argument(Form, form, 'type')
    if (as === 'json') return this.#kv.get(name, 'json')
    return as === 'text' ? this.#kv.get(name, 'text') : this.#kv.get(name, 'arrayBuffer')
  }

  /** Writes a value, for `expirationTtl` seconds if told. */
  async put(key: unknown, value: unknown, options?: unknown): Promise<void> {
    const { expirationTtl } = argument(PutOptions, options, 'options')
    await this.#kv.put(this.#name(key), argument(Value, value, 'value'), expirationTtl === undefined ? {} : { expirationTtl })
  }

  /** Removes a value, whether there is one or not. */
  async delete(key: unknown): Promise<void> {
    await this.#kv.delete(this.#name(key))
  }

  /** Lists keys by name. */
  async list(options?: unknown): Promise<KeyPage> {
    const { prefix, cursor, limit } = argument(ListOptions, options, 'options')
    const page = await this.#kv.list({ prefix: this.#prefix + prefix, limit, ...(cursor !== undefined && { cursor }) })
    const keys = page.keys.map(({ name, expiration }) => ({ name: name.slice(this.#prefix.length), ...(expiration !== undefined && { expiration }) }))
    return { keys, cursor: page.list_complete ? null : page.cursor }
  }

  #name(key: unknown): string {
    return this.#prefix + argument(Key, key, 'key')
  }
}

function sizeOf(value: string | ArrayBuffer | Uint8Array): number {
  return typeof value === 'string' ? new TextEncoder().encode(value).length : value.byteLength
}

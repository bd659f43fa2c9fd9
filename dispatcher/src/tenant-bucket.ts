import * as z from 'zod'
import { ServiceError } from '@dot-do/worker-utils'
import { argument } from './tenant-props.ts'

/** The longest key: R2 takes 1,024 bytes, of which the tenant's own prefix has up to 64. */
const MAX_KEY_BYTES = 960

const Key = z
  .string()
  .min(1)
  .refine((key) => new TextEncoder().encode(key).length <= MAX_KEY_BYTES, `must have at most ${MAX_KEY_BYTES} bytes`)
const Value = z.union(
  [z.string(), z.instanceof(ArrayBuffer), z.instanceof(Uint8Array), z.instanceof(ReadableStream)],
  'must be a string, an ArrayBuffer, a Uint8Array or a ReadableStream',
)
const PutOptions = z
  .strictObject({
    contentType: z.string().max(255).optional(),
    metadata: z.record(z.string().max(128), z.string().max(1024)).optional(),
    sizeBytes: z.int().min(0).optional(),
  })
  .default({})
const ListOptions = z
  .strictObject({ prefix: z.string().max(MAX_KEY_BYTES).default(''), cursor: z.string().max(4096).optional(), limit: z.int().min(1).max(1000).default(1000) })
  .prefault({})

/** What is known of an object. */
export interface StoredObject {
  key: string
  sizeBytes: number
  etag: string
  uploadedAt: string
  contentType: string | null
  metadata: Record<string, string>
}

/** An object and its content, as a stream or, in one of the other forms, read for itself. */
export interface ObjectWithContent extends StoredObject {
  body: ReadableStream
  text(): Promise<string>
  json(): Promise<unknown>
  arrayBuffer(): Promise<ArrayBuffer>
}

/** Objects by key, as one tenant sees them: those of others neither appear nor can be named. Contents stream. */
export class TenantObjects {
  readonly #bucket: R2Bucket
  readonly #prefix: string

  /** No tenant's name contains a slash, so no prefix begins another. */
  constructor(bucket: R2Bucket, tenant: string) {
    this.#bucket = bucket
    this.#prefix = `${tenant}/`
  }

  /** An object with its content; null if there is none. */
  async get(key: unknown): Promise<ObjectWithContent | null> {
    const found = await this.#bucket.get(this.#name(key))
    if (!found) return null
    const again = () => this.#same(found)
    return {
      ...this.#shown(found),
      body: found.body,
      text: async () => (await again()).text(),
      json: async () => (await again()).json(),
      arrayBuffer: async () => (await again()).arrayBuffer(),
    }
  }

  /** What is known of an object; null if there is none. */
  async head(key: unknown): Promise<StoredObject | null> {
    const found = await this.#bucket.head(this.#name(key))
    return found && this.#shown(found)
  }

  /** Writes an object. Of a stream the size must be told: it is stored as it comes, and refused if it turns out to be longer or shorter. */
  async put(key: unknown, value: unknown, options?: unknown): Promise<StoredObject> {
    try {
      return await this.#put(key, value, options)
    } catch (thrown) {
      // Whoever writes to a stream that is refused would wait for it to be read.
      if (value instanceof ReadableStream && !value.locked) await value.cancel()
      throw thrown
    }
  }

  async #put(key: unknown, value: unknown, options: unknown): Promise<StoredObject> {
    const name = this.#name(key)
    const content = argument(Value, value, 'value')
    const { contentType, metadata, sizeBytes } = argument(PutOptions, options, 'options')
    const about = { ...(contentType !== undefined && { httpMetadata: { contentType } }), ...(metadata && { customMetadata: metadata }) }
    return this.#shown(await this.#bucket.put(name, content instanceof ReadableStream ? sized(content, sizeBytes) : content, about))
  }

  /** Removes an object, whether there is one or not. */
  async delete(key: unknown): Promise<void> {
    await this.#bucket.delete(this.#name(key))
  }

  /** Lists objects by key. */
  async list(options?: unknown): Promise<{ objects: StoredObject[]; cursor: string | null }> {
    const { prefix, cursor, limit } = argument(ListOptions, options, 'options')
    const page = await this.#bucket.list({
      prefix: this.#prefix + prefix,
      limit,
      include: ['httpMetadata', 'customMetadata'],
      ...(cursor !== undefined && { cursor }),
    })
    return { objects: page.objects.map((each) => this.#shown(each)), cursor: page.truncated ? page.cursor : null }
  }

  /** The content once more: the stream is gone to the caller. CONFLICT if it was written over meanwhile. */
  async #same({ key, etag }: R2Object): Promise<R2ObjectBody> {
    const found = await this.#bucket.get(key, { onlyIf: { etagMatches: etag } })
    if (found && 'body' in found) return found
    throw new ServiceError('CONFLICT', `${key.slice(this.#prefix.length)} was changed meanwhile; get it again`)
  }

  #name(key: unknown): string {
    return this.#prefix + argument(Key, key, 'key')
  }

  #shown({ key, size, etag, uploaded, httpMetadata, customMetadata }: R2Object): StoredObject {
    const uploadedAt = uploaded.toISOString()
    const metadata = customMetadata ?? {}
    return { key: key.slice(this.#prefix.length), sizeBytes: size, etag, uploadedAt, contentType: httpMetadata?.contentType ?? null, metadata }
  }
}

/** R2 must know how much comes before it takes anything. */
function sized(content: ReadableStream, sizeBytes: number | undefined): ReadableStream {
  const message = 'must say how long the stream is'
  if (sizeBytes === undefined) throw new ServiceError('INVALID', `options.sizeBytes: ${message}`, { details: [{ path: 'options.sizeBytes', message }] })
  return content.pipeThrough(new FixedLengthStream(sizeBytes))
}

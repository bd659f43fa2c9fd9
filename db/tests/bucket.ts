import { text } from 'node:stream/consumers'

/** Something in a bucket. */
export interface Stored {
  bytes: Uint8Array
  uploaded: Date
}

/** R2 as far as copies use it, in memory: it lists two names at a time, takes parts as R2 does, and can be told to fail at a part. */
export function memoryBucket({ failAtPart = Infinity }: { failAtPart?: number } = {}) {
  const objects = new Map<string, Stored>()
  const sizes: number[] = []
  let aborted = 0
  const put = (key: string, bytes: Uint8Array) => void objects.set(key, { bytes, uploaded: new Date() })
  const bucket = {
    put: async (key: string, value: string) => put(key, new TextEncoder().encode(value)),
    head: async (key: string) => (objects.has(key) ? {} : null),
    get: async (key: string) => {
      const found = objects.get(key)
      return found
        ? {
            size: found.bytes.byteLength,
            body: new Blob([new Uint8Array(found.bytes)]).stream(),
            json: async () => JSON.parse(new TextDecoder().decode(found.bytes)) as unknown,
          }
        : null
    },
    delete: async (keys: string[]) => keys.forEach((key) => objects.delete(key)),
    list: async ({ prefix = '', cursor = '' }: { prefix?: string; cursor?: string }) => {
      const names = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > cursor).sort()
      const page = names.slice(0, 2)
      return { objects: page.map((key) => ({ key, uploaded: objects.get(key)?.uploaded })), truncated: names.length > 2, cursor: page.at(-1) }
    },
    createMultipartUpload: async (key: string) => {
      const parts: Uint8Array[] = []
      return {
        uploadPart: async (partNumber: number, bytes: Uint8Array) => {
          if (partNumber === failAtPart) throw new Error('put: We encountered an internal error. Please try again. (10001)')
          parts.push(bytes.slice())
          sizes.push(bytes.byteLength)
          return { partNumber, etag: String(partNumber) }
        },
        complete: async () => put(key, new Uint8Array(await new Blob(parts.map((part) => new Uint8Array(part))).arrayBuffer())),
        abort: async () => void (aborted += 1),
      }
    },
  }
  return { bucket: bucket as unknown as R2Bucket, objects, sizes, aborted: () => aborted }
}

/** What a gzipped object says. */
export function unpacked({ bytes }: Stored): Promise<string> {
  return text(new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream('gzip')))
}

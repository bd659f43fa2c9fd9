/** A bucket of R2 as far as queue uses one, in memory. */
export function memoryBucket(): { bucket: Pick<R2Bucket, 'put' | 'get' | 'delete' | 'list'>; objects: Map<string, Uint8Array> } {
  const objects = new Map<string, Uint8Array>()
  const bucket = {
    put: (key: string, value: Uint8Array) => Promise.resolve(void objects.set(key, value)),
    get: (key: string) => {
      const bytes = objects.get(key)
      return Promise.resolve(bytes ? { json: () => Promise.resolve(JSON.parse(new TextDecoder().decode(bytes)) as unknown) } : null)
    },
    delete: (keys: string | string[]) => Promise.resolve([keys].flat().forEach((key) => objects.delete(key))),
    list: ({ prefix = '' }: { prefix?: string } = {}) =>
      Promise.resolve({ objects: [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => ({ key })), truncated: false }),
  }
  return { bucket: bucket as unknown as R2Bucket, objects }
}

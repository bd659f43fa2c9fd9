import { ServiceError, toServiceError } from '@dot-do/worker-utils'

/** R2 wants all parts but the last to be of one size, and of 5 MiB or more (developers.cloudflare.com/r2/objects/multipart-objects). */
const PART_BYTES = 8 * 1024 * 1024

/**
 * Stores text under a name, gzipped, in parts, so that no more than one is in memory. It is there once it is whole; what fails leaves nothing.
 * Answers its size and what the text's generator answered.
 */
export async function uploadGzipped<Answer>(
  text: AsyncGenerator<string, Answer>,
  key: string,
  bucket: R2Bucket,
): Promise<{ sizeBytes: number; answer: Answer }> {
  const upload = await bucket.createMultipartUpload(key, { httpMetadata: { contentType: 'application/gzip' } }).catch(refuse)
  try {
    const { stream, answer } = bytesOf(text)
    const { parts, sizeBytes } = await uploadParts(stream.pipeThrough(new CompressionStream('gzip')), upload)
    await upload.complete(parts)
    return { sizeBytes, answer: await answer }
  } catch (error) {
    // A generator that is left alone does what its `finally` says only when it is told, which the streams behind it may not; what it answers then is nobody's.
    await text.return(undefined as never).catch(() => undefined)
    await upload.abort().catch(() => undefined) // R2 forgets it by itself after a week
    return refuse(error)
  }
}

/** What has no code of ours came from R2. */
function refuse(thrown: unknown): never {
  const error = toServiceError(thrown)
  throw error.code === 'INTERNAL' ? new ServiceError('UPSTREAM', 'R2 did not take the copy', { cause: thrown }) : error
}

/** Read as it is asked for. The answer comes with the end; of a stream that fails or is given up, never. */
function bytesOf<Answer>(text: AsyncGenerator<string, Answer>): { stream: ReadableStream<Uint8Array>; answer: Promise<Answer> } {
  const encoder = new TextEncoder()
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await text.next()
      if (!next.done) return controller.enqueue(encoder.encode(next.value))
      resolve(next.value)
      controller.close()
    },
  })
  return { stream, answer: promise }
}

async function uploadParts(stream: ReadableStream<Uint8Array>, upload: R2MultipartUpload): Promise<{ parts: R2UploadedPart[]; sizeBytes: number }> {
  const parts: R2UploadedPart[] = []
  let [part, filled, sizeBytes] = [new Uint8Array(PART_BYTES), 0, 0]
  const send = async (): Promise<void> => {
    parts.push(await upload.uploadPart(parts.length + 1, part.subarray(0, filled)))
    part = new Uint8Array(PART_BYTES)
    filled = 0
  }
  for await (const chunk of stream) {
    sizeBytes += chunk.byteLength
    for (let taken = 0; taken < chunk.byteLength;) {
      const piece = chunk.subarray(taken, taken + PART_BYTES - filled)
      part.set(piece, filled)
      filled += piece.byteLength
      taken += piece.byteLength
      if (filled === PART_BYTES) await send()
    }
  }
  if (filled > 0) await send()
  return { parts, sizeBytes }
}

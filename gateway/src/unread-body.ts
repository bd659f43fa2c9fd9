/** 8 MiB: so much of a body that nobody wanted is read; a client that sends more is cut off. */
const MAX_BYTES = 8_388_608

/** Reads and drops the body of a request that was refused unread: a client that is still sending would see a broken connection instead of the reason. */
export async function dropUnreadBody({ body, bodyUsed, headers }: Request): Promise<void> {
  // One that says at once that it will be cut off need not be waited for.
  if (body === null || bodyUsed || Number(headers.get('Content-Length') ?? 0) > MAX_BYTES) return
  await drop(body).catch(() => undefined) // who went away while sending waits for no reason
}

async function drop(body: ReadableStream<Uint8Array>): Promise<void> {
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > MAX_BYTES) return
  }
}

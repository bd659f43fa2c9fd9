/** 8 MiB: so much of a body that nobody wanted is read; a client that sends more is cut off. */
const MAX_BYTES = 8_388_608

/** Reads and drops the body of a request that was refused unread: a client that is still sending would see a broken connection instead of the reason. */
export async function dropUnreadBody({ body, bodyUsed }: Request): Promise<void> {
  if (body === null || bodyUsed) return
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > MAX_BYTES) return
  }
}

/** Characters decoded or encoded at a time: a multiple of four, and few enough for a call's arguments. */
const CHUNK = 32_768

/** Reads base64 (RFC 4648 §4), line breaks allowed; undefined for anything else. */
export function decodeBase64(given: string): Uint8Array<ArrayBuffer> | undefined {
  const text = /[\r\n]/.test(given) ? given.replaceAll(/[\r\n]/g, '') : given
  const padding = text.endsWith('==') ? 2 : Number(text.endsWith('='))
  if (text.length % 4 !== 0) return undefined
  const end = text.length - padding
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  for (let at = 0; at < text.length; at += CHUNK) {
    const chunk = text.slice(at, at + CHUNK)
    if (/[^A-Za-z0-9+/]/.test(at + CHUNK >= text.length ? chunk.slice(0, end - at) : chunk)) return undefined
    const binary = atob(chunk)
    const offset = (at / 4) * 3
    for (let index = 0; index < binary.length; index++) bytes[offset + index] = binary.charCodeAt(index)
  }
  return bytes
}

/** How many bytes a base64 text stands for, without decoding it. Line breaks make it a little more than it is. */
export function decodedSize(text: string): number {
  return Math.floor((text.length * 3) / 4)
}

/** Writes bytes as base64 (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = []
  const step = (CHUNK / 4) * 3
  for (let at = 0; at < bytes.length; at += step) parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + step))))
  return parts.join('')
}

/** Text in UTF-8; undefined for bytes that are not. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    return undefined
  }
}

/** SHA-256 in lower-case hexadecimal. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** How many bytes several pieces have together once gzipped. */
export async function gzippedSize(pieces: readonly Uint8Array<ArrayBuffer>[]): Promise<number> {
  let sizeBytes = 0
  for await (const chunk of new Blob([...pieces]).stream().pipeThrough(new CompressionStream('gzip'))) sizeBytes += chunk.byteLength
  return sizeBytes
}

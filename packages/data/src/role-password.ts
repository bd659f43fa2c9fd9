/**
 * The password of a database role, derived from one secret so that a service's connection string is built from its name alone.
 * base64url(HMAC-SHA256(secret, `role:<role>`)), without padding. Runs in workerd and in Node.
 */
export async function rolePassword(secret: string, role: string): Promise<string> {
  const encoder = new TextEncoder()
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(`role:${role}`)))
  return btoa(String.fromCharCode(...mac))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}

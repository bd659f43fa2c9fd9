import { decodeBase64url, encodeBase64url, ServiceError } from '@dot-do/worker-utils'

/** What a sealed text is for, and what else must be known to open it. */
export interface Seal {
  /** Keeps keys of different uses apart (RFC 5869, `info`). */
  purpose: string
  /** Bound to the text: under another it does not open. */
  context: string
}

/** Where secrets are sealed. */
interface HasSigningSecret {
  JWT_SIGNING_KEY?: string
}

const IV_BYTES = 12
const LEAST_SECRET_LENGTH = 32
const encoder = new TextEncoder()

/** Encrypts a text under the Worker's secret: initialisation vector and AES-GCM's output in base64url. UNAVAILABLE without the secret. */
export async function seal(text: string, { purpose, context }: Seal, env: HasSigningSecret): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const key = await derive(env, { purpose, context }, 'encrypt')
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, encoder.encode(text)))
  const whole = new Uint8Array(IV_BYTES + sealed.length)
  whole.set(iv)
  whole.set(sealed, IV_BYTES)
  return encodeBase64url(whole)
}

/** Opens what `seal` made; undefined where the secret or the context is another, or the text was changed. */
export async function unseal(sealed: string, { purpose, context }: Seal, env: HasSigningSecret): Promise<string | undefined> {
  const whole = decodeBase64url(sealed)
  if (!whole || whole.length <= IV_BYTES) return undefined
  const key = await derive(env, { purpose, context }, 'decrypt')
  const opened = crypto.subtle.decrypt({ name: 'AES-GCM', iv: whole.subarray(0, IV_BYTES) }, key, whole.subarray(IV_BYTES))
  return opened.then(
    (bytes) => new TextDecoder().decode(bytes),
    () => undefined,
  )
}

/** A MAC of a text under the Worker's secret, for one purpose. */
export async function mark(text: string, purpose: string, env: HasSigningSecret): Promise<Uint8Array> {
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(purpose) }
  const key = await crypto.subtle.deriveKey(derivation, await material(env), { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text)))
}

async function derive(env: HasSigningSecret, { purpose, context }: Seal, use: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: encoder.encode(context), info: encoder.encode(purpose) }
  return crypto.subtle.deriveKey(derivation, await material(env), { name: 'AES-GCM', length: 256 }, false, [use])
}

/** Why the secret cannot be used; undefined if it can. */
export function missingForSealing({ JWT_SIGNING_KEY: secret = '' }: HasSigningSecret): string | undefined {
  return secret.length < LEAST_SECRET_LENGTH ? `the secret JWT_SIGNING_KEY has fewer than ${LEAST_SECRET_LENGTH} characters` : undefined
}

async function material(env: HasSigningSecret): Promise<CryptoKey> {
  const { JWT_SIGNING_KEY: secret = '' } = env
  const missing = missingForSealing(env)
  if (missing) throw new ServiceError('UNAVAILABLE', `Nobody can be signed in: ${missing}`)
  return crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey'])
}

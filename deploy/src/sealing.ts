import { decodeBase64url, encodeBase64url, ServiceError } from '@dot-do/worker-utils'

/** Whose a secret is: it can be opened as this and as nothing else. */
export interface SecretOwner {
  tenant: string
  service: string
  environment: string
  name: string
}

const IV_BYTES = 12

/** Encrypts a secret (AES-256-GCM, NIST SP 800-38D) for one owner; the same text never reads the same twice. */
export async function seal(text: string, owner: SecretOwner, secretKey: string | undefined): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const key = await keyFrom(secretKey)
  const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: nameOf(owner) }, key, new TextEncoder().encode(text)))
  const whole = new Uint8Array(IV_BYTES + sealed.length)
  whole.set(iv)
  whole.set(sealed, IV_BYTES)
  return encodeBase64url(whole)
}

/** Decrypts a secret. UNAVAILABLE if it was sealed under another key or for another owner. */
export async function open(sealed: string, owner: SecretOwner, secretKey: string | undefined): Promise<string> {
  const whole = decodeBase64url(sealed) ?? new Uint8Array()
  const key = await keyFrom(secretKey)
  const parameters = { name: 'AES-GCM', iv: whole.subarray(0, IV_BYTES), additionalData: nameOf(owner) }
  try {
    return new TextDecoder().decode(await crypto.subtle.decrypt(parameters, key, whole.subarray(IV_BYTES)))
  } catch (cause) {
    throw new ServiceError('UNAVAILABLE', `The secret ${owner.name} cannot be opened: DEPLOY_SECRET_KEY is not the one it was stored under; set it again`, {
      cause,
    })
  }
}

async function keyFrom(secretKey: string | undefined): Promise<CryptoKey> {
  if (!secretKey) throw new ServiceError('UNAVAILABLE', 'Secrets cannot be kept: deploy has no DEPLOY_SECRET_KEY')
  const encoder = new TextEncoder()
  const material = await crypto.subtle.importKey('raw', encoder.encode(secretKey), 'HKDF', false, ['deriveKey'])
  const derivation = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode('deploy/secrets') }
  return crypto.subtle.deriveKey(derivation, material, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

/** None of the parts can have a line break in it. */
function nameOf({ tenant, service, environment, name }: SecretOwner): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode([tenant, service, environment, name].join('\n')))
}

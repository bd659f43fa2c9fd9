import { BoundedCache, ServiceError } from '@dot-do/worker-utils'
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose'
import * as z from 'zod'

type Keys = ReturnType<typeof createLocalJWKSet>

/** What is kept of an issuer: its keys, when they were read, and when a key was last looked for that was not among them. */
interface Known {
  keys: Keys
  readAt: number
  searchedAt: number
}

/** Keys are read anew after this time. */
const MAX_AGE_MS = 600_000

/** Whoever invents key ids makes the keys be read at most this often. */
const SEARCH_PAUSE_MS = 10_000

const TIMEOUT_MS = 5_000
const MAX_BYTES = 262_144

/** By issuer, of which a deployment has one. */
const issuers = new BoundedCache<string, Known>({ maxEntries: 4, ttlMs: MAX_AGE_MS })

const Metadata = z.object({ issuer: z.string(), jwks_uri: z.url() })
const KeySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())).max(100) })

/** Finds the key that a token names among the published ones of an issuer, as jose asks for it. UPSTREAM where the issuer does not answer as one. */
export function issuerKeys(issuer: string): (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey> {
  return async (header, token) => {
    const known = issuers.get(issuer) ?? (await readKeys(issuer))
    try {
      return await known.keys(header, token)
    } catch (thrown) {
      if (!(thrown instanceof errors.JWKSNoMatchingKey) || Date.now() - Math.max(known.readAt, known.searchedAt) < SEARCH_PAUSE_MS) throw thrown
      known.searchedAt = Date.now()
      const fresh = await readKeys(issuer)
      return fresh.keys(header, token)
    }
  }
}

async function readKeys(issuer: string): Promise<Known> {
  const { issuer: named, jwks_uri: address } = await readJson(`${issuer}/.well-known/openid-configuration`, Metadata)
  if (named !== issuer || new URL(address).origin !== new URL(issuer).origin) throw unreadable(new Error(`${issuer} names ${named} and ${address}`))
  const keySet = await readJson(address, KeySet)
  const known = { keys: createLocalJWKSet(keySet as Parameters<typeof createLocalJWKSet>[0]), readAt: Date.now(), searchedAt: 0 } // jose reads each key when it is used, and refuses what is none
  issuers.set(issuer, known)
  return known
}

async function readJson<Schema extends z.ZodType>(url: string, schema: Schema): Promise<z.output<Schema>> {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS), headers: { Accept: 'application/json' } })
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}`)
    return schema.parse(JSON.parse(await readText(response)))
  } catch (cause) {
    throw unreadable(cause)
  }
}

async function readText({ body }: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let sizeBytes = 0
  for await (const chunk of body ?? []) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

function unreadable(cause: unknown): ServiceError {
  return new ServiceError('UPSTREAM', 'The keys of GitHub Actions cannot be read now', { cause })
}

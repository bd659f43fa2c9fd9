import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { CloudflareError } from '../errors.ts'
import type { Asset } from '../store/script.ts'

/** A wrangler that takes longer starts anew, and what it had uploaded is asked for again. */
const LIFETIME_MS = 3_600_000

/** How many uploads of static files may be under way. */
const MOST = 64

/** The static files one deployment is going to have, and those of them whose bytes are here. */
export interface AssetSession {
  id: string
  namespace: string
  script: string
  /** URL path → what the uploader says of the file. */
  manifest: Record<string, { hash: string; size: number }>
  /** By the uploader's hash. */
  present: Map<string, Asset>
  expiresAt: number
}

/** What a token is good for: to upload bytes, or to deploy with them. */
export type AssetTokenUse = 'upload' | 'deploy'

/** Uploads of static files that are under way, in memory: they end with the process, and their bytes are swept unless a script names them by then. */
export class AssetSessions {
  readonly #byId = new Map<string, AssetSession>()
  readonly #key = randomBytes(32)
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Starts one. When there are too many, the oldest makes room. */
  start(of: Pick<AssetSession, 'namespace' | 'script' | 'manifest' | 'present'>): AssetSession {
    const session = { ...of, id: randomUUID(), expiresAt: this.#now() + LIFETIME_MS }
    for (const { id, expiresAt } of this.#byId.values()) if (expiresAt <= this.#now() || this.#byId.size >= MOST) this.#byId.delete(id)
    this.#byId.set(session.id, session)
    return session
  }

  /** A JWT, since wrangler looks into it for its expiry. */
  tokenFor({ id, expiresAt }: AssetSession, use: AssetTokenUse): string {
    const header = encode({ alg: 'HS256', typ: 'JWT' })
    const payload = encode({ session: id, use, iat: Math.floor(this.#now() / 1000), exp: Math.floor(expiresAt / 1000) })
    return `${header}.${payload}.${this.#sign(`${header}.${payload}`)}`
  }

  /** The session a token is for; tokens of another use, and those that have expired, are refused. */
  find(token: string, use: AssetTokenUse): AssetSession {
    const [header = '', payload = '', signature = ''] = token.split('.')
    if (!isSame(signature, this.#sign(`${header}.${payload}`))) throw invalidToken()
    const claims: { session: string; use: string } = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const session = this.#byId.get(claims.session)
    if (session === undefined || session.expiresAt <= this.#now() || claims.use !== use) throw invalidToken()
    return session
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url')
  }
}

/** The hashes of a session whose bytes are not here yet. */
export function absentIn({ manifest, present }: AssetSession): string[] {
  const hashes = new Set(Object.values(manifest).map(({ hash }) => hash))
  return [...hashes].filter((hash) => !present.has(hash))
}

function invalidToken(): CloudflareError {
  return new CloudflareError(403, 10_000, 'The assets token is invalid or has expired; start the upload anew')
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function isSame(a: string, b: string): boolean {
  const [first, second] = [Buffer.from(a), Buffer.from(b)]
  return first.byteLength === second.byteLength && timingSafeEqual(first, second)
}

import { AccessTokenVerifier } from '@dot-do/worker-middleware/access-token'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { request } from 'undici'
import type { Stage } from './stage.ts'
import { latencyOf, median, type Latency } from './statistics.ts'

/** What it costs to find out who asks. */
export interface CredentialFigures {
  /** Auth asked for a key that nobody asked for before, from another Worker. */
  keyLookup: Latency
  /** A token that was verified before, as it comes in with each request: in microseconds, in this process. */
  tokenHitUs: number
  /** One that was not. */
  tokenMissUs: number
}

const KEYS = 200
const HITS = 200_000
const MISSES = 2_000
const ISSUER = 'https://gateway.do'

/** Measures both. */
export async function measureCredentials(stage: Stage): Promise<CredentialFigures> {
  return { keyLookup: await measureLookups(stage), ...(await measureTokens()) }
}

async function measureLookups({ makeKey, lookupUrl }: Stage): Promise<Latency> {
  const keys: string[] = []
  for (let made = 0; made < KEYS; made++) keys.push(await makeKey({ name: 'bench', permissions: ['things:read'] }))
  const latencies: number[] = []
  for (const key of keys) {
    const start = performance.now()
    const answer = await request(`${lookupUrl()}/?key=${key}`)
    await answer.body.dump()
    if (answer.statusCode !== 200) throw new Error(`A key that was just made is not known: ${answer.statusCode}`)
    latencies.push(performance.now() - start)
  }
  return latencyOf(latencies)
}

/** Each time the token is a new string, as headers are. */
async function measureTokens(): Promise<Pick<CredentialFigures, 'tokenHitUs' | 'tokenMissUs'>> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const { x = '' } = await exportJWK(publicKey)
  const verifier = new AccessTokenVerifier()
  const key = { kid: 'bench', kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', x } as const
  verifier.update({ issuer: ISSUER, audience: ISSUER, keys: [key], revoked: [{ subject: 'user_other', before: new Date().toISOString() }] })
  const sign = (jti: string) =>
    new SignJWT({ jti, kind: 'user', tenant: 'acme', permissions: ['things:read', 'things:write', 'events:read'], sid: 'sess_bench' })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'bench' })
      .setIssuer(ISSUER)
      .setAudience(ISSUER)
      .setSubject('user_bench')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
  const tokens = await Promise.all(Array.from({ length: MISSES }, (_, index) => sign(String(index))))
  const missing = performance.now()
  for (const token of tokens) await verifier.verify(token)
  const tokenMissUs = ((performance.now() - missing) * 1000) / MISSES
  const bytes = tokens.map((token) => Buffer.from(token))
  const rounds = Array.from({ length: 5 }, () => {
    const start = performance.now()
    for (let hit = 0; hit < HITS; hit++) if (!verifier.recall(bytes[hit % bytes.length]?.toString('latin1') ?? '')) throw new Error('A token was forgotten')
    return ((performance.now() - start) * 1000) / HITS
  })
  return { tokenHitUs: median(rounds), tokenMissUs }
}

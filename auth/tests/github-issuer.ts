import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose'

/** GitHub's issuer of OIDC tokens for jobs, on this machine. */
export interface GitHubIssuer {
  url: string
  /** A token of a job: what GitHub says of a push to main of acme/shop, unless told. `null` leaves a claim out. */
  token(claims?: Record<string, unknown>, header?: { kid?: string }): Promise<string>
  /** Which paths were asked for since it started. */
  asked: string[]
  close(): void
}

/** What the runner's request for a token must carry. */
export const REQUEST_TOKEN = 'the request token of this job'

/**
 * Starts it: its metadata, its keys, and `/token`, which is what ACTIONS_ID_TOKEN_REQUEST_URL leads to. There the query says what the job is
 * (`&repository=acme/shop`), as a test wants it.
 */
export async function startGitHubIssuer(): Promise<GitHubIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const key = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    asked.push(pathname)
    const answer = (status: number, body: unknown) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (pathname === '/.well-known/openid-configuration') return answer(200, { issuer: url, jwks_uri: `${url}/.well-known/jwks` })
    if (pathname === '/.well-known/jwks') return answer(200, { keys: [key] })
    if (pathname !== '/token' || request.headers.authorization !== `Bearer ${REQUEST_TOKEN}`) return answer(401, { message: 'no' })
    const { audience: aud = 'https://github.com/acme', ...claims } = Object.fromEntries(searchParams)
    return answer(200, { count: 1, value: await token({ aud, ...claims }) })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const token: GitHubIssuer['token'] = (claims = {}, { kid = 'one' } = {}) =>
    new SignJWT(claimsOf(url, claims)).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid }).sign(privateKey)
  return { url, token, asked, close: () => void server.close() }
}

/** What a push to main says (https://docs.github.com/en/actions/reference/security/oidc). */
export function claimsOf(issuer: string, claims: Record<string, unknown> = {}): JWTPayload {
  const now = Math.floor(Date.now() / 1000)
  const usual = {
    iss: issuer,
    sub: 'repo:acme/shop:ref:refs/heads/main',
    jti: randomUUID(),
    iat: now,
    nbf: now - 300,
    exp: now + 300,
    repository: 'acme/shop',
    repository_id: '101',
    repository_owner: 'acme',
    repository_owner_id: '11',
    repository_visibility: 'private',
    ref: 'refs/heads/main',
    ref_type: 'branch',
    event_name: 'push',
    actor: 'ada',
    run_id: '7',
    runner_environment: 'github-hosted',
  }
  return Object.fromEntries(Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== null))
}

import type { Principal } from '@dot-do/worker-types'
import { env } from 'cloudflare:workers'

const { AUTH, AUTH_STRANGER, AUTH_TABLES, MAILBOX } = env

/** What a sign-in gives. */
export type Tokens = Awaited<ReturnType<typeof AUTH.signIn>>

let count = 0

/** An address that nobody has. */
export const newAddress = () => `person-${++count}-${crypto.randomUUID()}@example.com`

/** The code in the newest mail to an address. */
export async function codeFor(address: string): Promise<string> {
  const [, code] = /^(\d{8})$/m.exec((await MAILBOX.to(address.toLowerCase())).at(-1)?.text ?? '') ?? []
  if (code === undefined) throw new Error(`No code was sent to ${address}`)
  return code
}

/** Has a code sent to an address, and says which it is. */
export async function askForCode(address: string): Promise<string> {
  await AUTH_STRANGER.sendCode({ email: address })
  return codeFor(address)
}

/** Signs somebody in, as a stranger does. */
export async function signIn(email = newAddress(), about: { device?: string; organisation?: string } = {}): Promise<Tokens> {
  return AUTH_STRANGER.signIn({ email, code: await askForCode(email), ...about })
}

/** Spends a refresh token. */
export function refresh({ refreshToken }: Pick<Tokens, 'refreshToken'>, organisation?: string): Promise<Tokens> {
  return AUTH_STRANGER.refreshSession({ refreshToken, ...(organisation === undefined ? {} : { organisation }) })
}

/** Who an access token says is asking. */
export function principalOf({ accessToken }: Pick<Tokens, 'accessToken'>): Principal {
  const claims = claimsOf(accessToken)
  return { id: claims.sub, kind: 'user', tenant: claims.tenant, permissions: claims.permissions, session: claims.sid }
}

/** What a token says. */
export function claimsOf(token: string): { sub: string; tenant: string; permissions: string[]; sid: string; iat: number; jti: string } {
  const [, payload = ''] = token.split('.')
  return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/')))
}

/** The options of a call in the name of whoever signed in. */
export const as = (tokens: Pick<Tokens, 'accessToken'>) => ({ onBehalfOf: principalOf(tokens) })

/** Runs one statement over auth's tables. */
export async function sql(text: string, ...params: (string | number | null)[]): Promise<unknown[][]> {
  const { results } = await AUTH_TABLES.execute({ statements: [{ sql: text, params }] })
  return results[0]?.rows ?? []
}

/** The refusals that a session or user is under. */
export async function isRefused(subject: string, issuedAt: number): Promise<boolean> {
  const { revoked } = await AUTH.tokenVerification({})
  return revoked.some((refusal) => refusal.subject === subject && issuedAt * 1000 <= Date.parse(refusal.before))
}

/** What the audit log says of a subject, newest first. */
export async function audited(subject: string): Promise<string[]> {
  const { items } = await AUTH.listAudit({ subject })
  return items.map(({ action }) => action)
}

/** How a call was refused. */
export async function refusalOf(asking: () => Promise<unknown>): Promise<unknown> {
  return asking().then(
    () => 'an answer',
    (thrown: unknown) => (thrown instanceof Error && 'code' in thrown ? thrown.code : thrown),
  )
}

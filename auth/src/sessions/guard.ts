import { batch } from '@dot-do/worker-data/database'
import type { Call } from '@dot-do/worker-kernel/call'
import { hmacSha256Base64url, ServiceError } from '@dot-do/worker-utils'
import { appendAudit } from '../audit.ts'
import type { Env } from '../env.ts'
import { sendMail } from '../mail.ts'
import { PLATFORM_TENANT } from '../roles.ts'
import { CODE_MS, LOCK_MS, MAX_FAILURES } from './attempts.ts'

/** Ten guesses at 10⁸ codes in a quarter of an hour: at six digits, an attacker who never rests would find one of an address within three years; at eight, within three centuries. */
const DIGITS = 8
const CODES = 10 ** DIGITS

/** The largest multiple of CODES that 32 bits hold: numbers above it would make low codes likelier. */
const UNBIASED = Math.floor(2 ** 32 / CODES) * CODES

/** Sends a one-time code to an address. The answer is the same whoever it belongs to, and when nothing is sent because too much was. */
export async function requestCode(email: string, call: Call<Env>): Promise<{ sent: true; expiresInSeconds: number }> {
  const address = email.toLowerCase()
  const code = makeCode()
  const { guard, hash } = await guardOf(address, code, call.env)
  if (await guard.issue(hash, Date.now())) await sendMail({ to: address, subject: 'Your sign-in code', text: mailText(code, call.env) }, call)
  return { sent: true, expiresInSeconds: CODE_MS / 1000 }
}

/** Takes a one-time code as proof of an address. UNAUTHENTICATED if it is not the one that holds, RATE_LIMITED while the address is locked. */
export async function redeemCode(email: string, code: string, call: Call<Env>): Promise<void> {
  const address = email.toLowerCase()
  const at = new Date()
  const { guard, hash } = await guardOf(address, code.replaceAll(/[\s-]/g, ''), call.env)
  const verdict = await guard.redeem(hash, at.getTime())
  if (verdict.outcome === 'right') return
  if (verdict.outcome === 'locked')
    throw new ServiceError('RATE_LIMITED', `Nobody can sign in by this address until ${new Date(verdict.untilMs).toISOString()}: too many codes were wrong`)
  if (verdict.locks) {
    const detail = { failures: MAX_FAILURES, lockedUntil: new Date(at.getTime() + LOCK_MS).toISOString() }
    await batch(call, [appendAudit(call, { action: 'auth.lockSignIn', subject: address, tenant: PLATFORM_TENANT, detail }, at.toISOString())])
  }
  throw new ServiceError('UNAUTHENTICATED', 'This code is wrong, was used, or has expired')
}

/** The guard of an address, under a name that does not tell it, and the form in which the guard is told a code. */
async function guardOf(address: string, code: string, env: Env): Promise<{ guard: ReturnType<Env['SignInGuards']['getByName']>; hash: string }> {
  const [name, hash] = await Promise.all([
    hmacSha256Base64url(env.KEY_PEPPER, `address ${address}`),
    hmacSha256Base64url(env.KEY_PEPPER, `code ${address} ${code}`),
  ])
  return { guard: env.SignInGuards.getByName(name), hash }
}

/** Digits from crypto, every code as likely as any other. */
function makeCode(): string {
  const [number = UNBIASED] = crypto.getRandomValues(new Uint32Array(1))
  return number < UNBIASED ? String(number % CODES).padStart(DIGITS, '0') : makeCode()
}

function mailText(code: string, { PLATFORM_URL }: Env): string {
  return [
    `Your code to sign in at ${PLATFORM_URL} is`,
    code,
    `It holds for ${CODE_MS / 60_000} minutes and for one use. Give it to nobody.`,
    'If you did not ask for it, somebody mistyped an address: nothing happens without the code.',
  ].join('\n\n')
}

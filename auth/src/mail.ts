import type { Call } from '@dot-do/worker-kernel/call'
import type { HealthCheck } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'

/** A message to one person, in plain words. */
export interface Mail {
  to: string
  subject: string
  text: string
}

/** How long Cloudflare may take to accept a mail, in milliseconds. */
const TIMEOUT_MS = 10_000

/** One address and nothing else: neither a list, nor a name, nor a line break by which headers could be added. */
const ADDRESS = /^[^\s<>()[\],;:"@\p{Cc}]+@[^\s<>()[\],;:"@\p{Cc}]+$/u

/**
 * Sends a mail by Cloudflare's binding for it (https://developers.cloudflare.com/email-service/api/send-emails/workers-api/). UNAVAILABLE where none is
 * configured, UPSTREAM when it is not accepted; neither says who it was for.
 */
export async function sendMail({ to, subject, text }: Mail, { env }: Pick<Call<Env>, 'env'>): Promise<void> {
  const missing = missingForMail(env)
  if (!env.EMAIL || !env.MAIL_FROM || missing) throw new ServiceError('UNAVAILABLE', `No mail can be sent: ${missing}`)
  if (!ADDRESS.test(to) || to.length > 254) throw new ServiceError('INVALID', 'This is not one e-mail address')
  if (/\p{Cc}/u.test(subject)) throw new ServiceError('INVALID', 'A subject is one line')
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`not accepted within ${TIMEOUT_MS} ms`)), TIMEOUT_MS)
  try {
    await Promise.race([env.EMAIL.send({ from: env.MAIL_FROM, to, subject, text }), late.promise])
  } catch (thrown) {
    throw new ServiceError('UPSTREAM', 'The mail could not be sent', { cause: causeWithout(to, thrown) })
  } finally {
    clearTimeout(timer)
  }
}

/** Whether mail can be sent at all, for `health`. */
export function mailHealth(env: Env): Pick<HealthCheck, 'status' | 'message'> {
  const missing = missingForMail(env)
  return missing ? { status: 'degraded', message: `Nobody can sign in by a code: ${missing}` } : { status: 'ok' }
}

/** What is not configured for mail; undefined if nothing is missing. */
export function missingForMail({ EMAIL, MAIL_FROM }: Env): string | undefined {
  if (!EMAIL) return 'the binding EMAIL (send_email) is not there'
  return MAIL_FROM ? undefined : 'the variable MAIL_FROM, the address mails come from, is empty'
}

/** What is logged names what went wrong, and not to whom. */
function causeWithout(address: string, thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).replaceAll(address, '…')
}

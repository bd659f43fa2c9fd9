import { decodeBase64url, encodeBase64url, equalConstantTime, sha256Hex } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import { mark } from './sealing.ts'

/** A refresh token, taken apart. */
export interface RefreshToken {
  text: string
  session: string
}

const PATTERN = /^rt_([0-9a-hjkmnp-tv-z]{26})_([A-Za-z0-9_-]{43})$/
const RANDOM_BYTES = 24
const MARK_BYTES = 8
const PURPOSE = 'auth/refresh-tokens'

/**
 * Makes a session's refresh token: the session's id, 24 random bytes, and 8 bytes by which auth knows its own. A token that was never issued is so told from
 * one that is spent, without a list of those: whoever merely knows a session's id cannot end it by a guess.
 */
export async function makeRefreshToken(session: string, env: Pick<Env, 'JWT_SIGNING_KEY'>): Promise<RefreshToken> {
  const random = crypto.getRandomValues(new Uint8Array(RANDOM_BYTES))
  const whole = new Uint8Array(RANDOM_BYTES + MARK_BYTES)
  whole.set(random)
  whole.set(await markOf(session, random, env), RANDOM_BYTES)
  return { text: `rt_${session.slice('sess_'.length)}_${encodeBase64url(whole)}`, session }
}

/** Takes a refresh token apart; undefined for what auth never issued. Whether it is spent its session's family knows. */
export async function readRefreshToken(text: string, env: Pick<Env, 'JWT_SIGNING_KEY'>): Promise<RefreshToken | undefined> {
  const [, id, secret = ''] = PATTERN.exec(text) ?? []
  const whole = decodeBase64url(secret)
  // 43 characters carry two bits more than 32 bytes, so a text is taken only in the one form it is issued in.
  if (id === undefined || whole?.length !== RANDOM_BYTES + MARK_BYTES || encodeBase64url(whole) !== secret) return undefined
  const session = `sess_${id}`
  const expected = encodeBase64url(await markOf(session, whole.subarray(0, RANDOM_BYTES), env))
  return equalConstantTime(encodeBase64url(whole.subarray(RANDOM_BYTES)), expected) ? { text, session } : undefined
}

/** What is stored of a refresh token. It has 192 random bits, so a plain hash tells nothing. */
export function hashRefreshToken({ text }: RefreshToken): Promise<string> {
  return sha256Hex(text)
}

async function markOf(session: string, random: Uint8Array, env: Pick<Env, 'JWT_SIGNING_KEY'>): Promise<Uint8Array> {
  return (await mark(`${session} ${encodeBase64url(random)}`, PURPOSE, env)).subarray(0, MARK_BYTES)
}

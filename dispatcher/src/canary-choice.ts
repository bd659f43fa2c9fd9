import type { CanaryState } from './canary.ts'

/** What of a visitor decides on which side of a canary it stands. */
export interface Visitor {
  headers: Headers
  nowMs: number
  /** In [0, 1), as `Math.random`. */
  random: () => number
}

/** On which side of a canary a visitor stands. */
export interface Choice {
  version: number
  startedAt: string
  isCanary: boolean
  /** To be set, so that the visitor stays where it is. */
  cookie?: string
}

/** Shares are kept to a hundredth of a percent. */
const PLACES = 10_000

/** As long as a visitor stays where it is, unless the canary ends before: a day. */
const COOKIE_SECONDS = 86_400

/**
 * Chooses a visitor's side: the canary's header wins, then `x-canary-key` by its hash, then the cookie, then chance.
 * Who has no header gets a place from 0 to 9,999 and is the canary's while that is within the share: so each stays where it is while the share stays, and only moves to the canary as it grows.
 */
export function chooseVersion({ version, startedAt, header, percent }: CanaryState, worker: string, visitor: Visitor): Choice {
  const { headers, random } = visitor
  const side = (place: number) => ({ version, startedAt, isCanary: place < percent * (PLACES / 100) })
  if (header !== null && headers.has(header)) return { version, startedAt, isCanary: true }
  const key = headers.get('x-canary-key')
  if (key !== null) return side(hash(`${version} ${key}`) % PLACES)
  const kept = placeFrom(headers.get('Cookie'), worker, version)
  if (kept !== undefined) return side(kept)
  const place = Math.floor(random() * PLACES)
  return { ...side(place), cookie: `${cookieName(worker)}=${version}.${place}; Path=/; Max-Age=${COOKIE_SECONDS}; HttpOnly; SameSite=Lax` }
}

function placeFrom(cookies: string | null, worker: string, version: number): number | undefined {
  const start = `${cookieName(worker)}=${version}.`
  const cookie = cookies?.split('; ').find((each) => each.startsWith(start))
  const place = /^\d{1,4}$/.exec(cookie?.slice(start.length) ?? '')?.[0]
  return place === undefined ? undefined : Number(place)
}

function cookieName(worker: string): string {
  return `dotdo-canary-${worker}`
}

/** FNV-1a over UTF-16 units, with MurmurHash3's last step, so that keys which differ in one digit lie far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

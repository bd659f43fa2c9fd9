import type { Env } from '../env.ts'

/** It is kept in a cookie, of which browsers take 4 KB. */
const MAX_LENGTH = 1_024

/** The part of env that says where a sign-in may end. */
type Places = Pick<Env, 'PLATFORM_URL' | 'LOGIN_REDIRECTS'>

/**
 * Where a sign-in ends, as a whole URL: a path of the platform's, or exactly an entry of LOGIN_REDIRECTS. Anything else ends at the platform's root, for whoever
 * wrote the link may be somebody else than who follows it.
 */
export function returnUrl(asked: string | undefined, places: Places): string {
  const root = new URL('/', places.PLATFORM_URL)
  if (asked === undefined || asked.length > MAX_LENGTH) return root.href
  if (redirectsOf(places).includes(asked)) return asked
  // Browsers read a backslash as a slash, and drop line breaks and tabs: `/\evil`, `/<tab>/evil`.
  if (!/^\/(?!\/)/.test(asked) || /[\\\p{Cc}]/u.test(asked)) return root.href
  const url = URL.parse(asked, root)
  return url?.origin === root.origin && url.href.length <= MAX_LENGTH ? url.href : root.href
}

/** The origins that a form of ours may lead on to. */
export function redirectOrigins(places: Places): string[] {
  return [...new Set(redirectsOf(places).map((url) => new URL(url).origin))]
}

function redirectsOf({ LOGIN_REDIRECTS }: Places): string[] {
  const entries = (LOGIN_REDIRECTS ?? '').split(',').map((entry) => entry.trim())
  return entries.filter((entry) => /^https?:\/\//.test(entry) && URL.canParse(entry))
}

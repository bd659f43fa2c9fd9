import { BoundedCache } from '@dot-do/worker-utils'
import * as z from 'zod'

/** How many providers a sign-in page can have and still be read. */
const MAX_PROVIDERS = 10

/** Names that stand for other ways to sign in. */
const TAKEN = ['workos', 'code']

const LOOPBACK = /^(localhost|[a-z0-9-]+\.localhost|127\.0\.0\.1|\[::1\])$/

const Settings = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be lower-case letters, digits and hyphens')
    .refine((name) => !TAKEN.includes(name), 'is taken'),
  label: z.string().min(1).max(60),
  issuer: z.url().refine(isTrustworthy, 'must begin with https://, or be on this machine'),
  clientId: z.string().min(1).max(255),
  clientSecret: z.string().min(1).max(1_024).optional(),
  scopes: z
    .string()
    .max(500)
    .refine((scopes) => scopes.split(' ').includes('openid'), 'must contain openid')
    .default('openid email profile'),
})

const Table = z
  .array(Settings)
  .max(MAX_PROVIDERS)
  .refine((table) => new Set(table.map(({ name }) => name)).size === table.length, 'has a name twice')

/** One OpenID Connect provider, as OIDC_PROVIDERS names it. */
export type OidcSettings = z.infer<typeof Settings>

/** What OIDC_PROVIDERS says: the providers, or what is wrong with it, in words that hold nothing of its secrets. */
export interface ReadSettings {
  providers: OidcSettings[]
  fault?: string
}

const read = new BoundedCache<string, ReadSettings>({ maxEntries: 4, ttlMs: 600_000 })

/** Reads OIDC_PROVIDERS. One wrong entry makes all of it wrong: a provider that silently is not there would be missed late. */
export function readOidcSettings(text: string | undefined): ReadSettings {
  if (!text) return { providers: [] }
  const settings = read.get(text) ?? parse(text)
  read.set(text, settings)
  return settings
}

function parse(text: string): ReadSettings {
  try {
    const { data, error } = Table.safeParse(JSON.parse(text))
    if (data) return { providers: data }
    const [first] = error.issues
    return { providers: [], fault: `OIDC_PROVIDERS: ${z.core.toDotPath(first?.path ?? [])} ${first?.message}`.replace(':  ', ': ') }
  } catch {
    return { providers: [], fault: 'OIDC_PROVIDERS is not JSON' }
  }
}

function isTrustworthy(issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer)
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))
}

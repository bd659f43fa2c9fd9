import { log, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { errors, jwtVerify } from 'jose'
import * as z from 'zod'
import type { Env } from '../env.ts'
import { platformUrl } from '../sessions/access-tokens.ts'
import { issuerKeys } from './issuer-keys.ts'

/** A GitHub Actions job that proved itself. */
export interface Job {
  repository: string
  repositoryId: string
  ownerId: string
  /** `main`; `tags/v1.2` for a tag; absent where it is neither, or a pull request decides what runs. */
  branch?: string | undefined
  environment?: string | undefined
  /** The run, for the audit log. */
  run: string
  /** The token's own id, and until when it could be shown again. */
  tokenId: string
  expiresAt: Date
}

/** Where GitHub Actions publishes its keys, unless GITHUB_OIDC_ISSUER says otherwise. */
const GITHUB = 'https://token.actions.githubusercontent.com'

/** No token of GitHub's lives longer, so spent ones need not be remembered longer. */
const MAX_LIFETIME_SECONDS = 3_600

/** Clocks may differ by this. */
const TOLERANCE_SECONDS = 5

const id = z.string().regex(/^\d{1,20}$/)

/** https://docs.github.com/en/actions/reference/security/oidc */
const Claims = z.object({
  jti: z.string().min(1).max(255),
  iat: z.number(),
  exp: z.number(),
  repository: z.string().regex(/^[A-Za-z0-9_-]{1,39}\/[A-Za-z0-9._-]{1,100}$/),
  repository_id: id,
  repository_owner_id: id,
  ref: z.string().max(1_024),
  event_name: z.string().max(100),
  environment: z.string().max(255).optional(),
  run_id: z.string().max(50).default(''),
})

/** On these, others than who may push to the branch decide what runs, though GitHub may say the base branch's name. */
const FOREIGN_EVENTS: ReadonlySet<string> = new Set(['pull_request', 'pull_request_target'])

/**
 * Verifies a job's OIDC token: signed by RS256 with a published key of the issuer, for this platform, in time, and with the claims that rules are about.
 * UNAUTHENTICATED for any other. Whether it was shown before is for whoever spends it.
 */
export async function provedJob(token: string, env: Env): Promise<Job> {
  const issuer = env.GITHUB_OIDC_ISSUER || GITHUB
  const audience = platformUrl(env)
  try {
    const { payload } = await jwtVerify(token, issuerKeys(issuer), {
      algorithms: ['RS256'],
      issuer,
      audience,
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
      clockTolerance: TOLERANCE_SECONDS,
    })
    return jobOf(Claims.parse(payload))
  } catch (thrown) {
    throw refusal(thrown, { issuer, audience })
  }
}

function jobOf(claims: z.output<typeof Claims>): Job {
  if (claims.exp - claims.iat > MAX_LIFETIME_SECONDS) throw new errors.JWTInvalid('it lives longer than an hour')
  const { repository, ref, environment, event_name: event } = claims
  return {
    repository,
    repositoryId: claims.repository_id,
    ownerId: claims.repository_owner_id,
    branch: FOREIGN_EVENTS.has(event) ? undefined : branchOf(ref),
    ...(environment === undefined ? {} : { environment }),
    run: claims.run_id,
    tokenId: claims.jti,
    expiresAt: new Date(claims.exp * 1000),
  }
}

function branchOf(ref: string): string | undefined {
  const [, kind, name] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? []
  if (name === undefined) return undefined
  return kind === 'tags' ? `tags/${name}` : name
}

/** Says what is wrong by jose's code; the token and its claims stay out of it. */
function refusal(thrown: unknown, { issuer, audience }: { issuer: string; audience: string }): ServiceError {
  const code = thrown instanceof errors.JOSEError ? thrown.code : thrown instanceof z.ZodError ? 'CLAIMS' : undefined
  if (code === undefined) return toServiceError(thrown)
  log('info', 'workload_refused', { reason: code })
  const claim = thrown instanceof errors.JWTClaimValidationFailed ? thrown.claim : ''
  if (code === 'ERR_JWT_EXPIRED') return unproved('This token has expired')
  if (claim === 'aud') return unproved(`This token is for another audience: ask for one with ${audience}`)
  if (claim === 'iss') return unproved(`This token is not from ${issuer}`)
  return unproved('This is not an OIDC token of a GitHub Actions job')
}

/** What does not prove anything. */
export function unproved(message: string): ServiceError {
  return new ServiceError('UNAUTHENTICATED', message, { details: [{ path: 'token', message }] })
}

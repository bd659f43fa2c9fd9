import { WorkOS, type Organization } from '@workos-inc/node/worker'
import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from '../../env.ts'
import type { ProvedIdentity } from '../../sessions/opening.ts'
import { challengeOf, type ProviderAttempt } from '../attempt.ts'
import { Declined, PROVIDER_TIMEOUT_MS, redirectUri, sortOf, unproved, type Hints, type Provider } from './provider.ts'

/** What is needed to speak to WorkOS. */
interface Access {
  workos: WorkOS
  clientId: string
  platformUrl: string
}

/** WorkOS, where it is configured: AuthKit, or SSO where an organisation's or connection's id is asked for. Both with PKCE and state. */
export function workosProvider(env: Env): Provider | undefined {
  const { WORKOS_API_KEY: apiKey, WORKOS_CLIENT_ID: clientId, WORKOS_API_URL, PLATFORM_URL: platformUrl } = env
  if (!apiKey || !clientId) return undefined
  // The library's worker build takes its timeout from there, and a minute else.
  const config = { timeout: PROVIDER_TIMEOUT_MS } as RequestInit
  const access = (): Access => ({ workos: new WorkOS(apiKey, { clientId, config, maxRetries: 0, ...addressOf(WORKOS_API_URL) }), clientId, platformUrl })
  return {
    name: 'workos',
    label: 'WorkOS',
    begin: (attempt, hints) => authorizationUrl(access(), attempt, hints),
    async finish(attempt, answer) {
      const refusal = answer.searchParams.get('error')
      if (refusal !== null) throw new Declined(refusal)
      const code = answer.searchParams.get('code')
      if (!code) throw unproved('The answer has no code')
      try {
        return await (attempt.under ? ssoIdentity(access(), attempt, code) : authKitIdentity(access(), attempt, code))
      } catch (thrown) {
        throw failure(thrown)
      }
    },
  }
}

async function authorizationUrl({ workos, clientId, platformUrl }: Access, attempt: ProviderAttempt, { loginHint }: Hints): Promise<string> {
  const { state, verifier, under } = attempt
  const common = {
    clientId,
    redirectUri: redirectUri(platformUrl),
    state,
    codeChallenge: await challengeOf(verifier),
    codeChallengeMethod: 'S256' as const,
    ...(loginHint === undefined ? {} : { loginHint }),
  }
  if (under?.connection !== undefined) return workos.sso.getAuthorizationUrl({ ...common, connection: under.connection })
  if (under?.organisation !== undefined) return workos.sso.getAuthorizationUrl({ ...common, organization: under.organisation })
  return workos.userManagement.getAuthorizationUrl({ ...common, provider: 'authkit' })
}

async function authKitIdentity({ workos, clientId }: Access, { verifier, organisation }: ProviderAttempt, code: string): Promise<ProvedIdentity> {
  const { user, organizationId } = await workos.userManagement.authenticateWithCode({ clientId, code, codeVerifier: verifier })
  const name = user.name ?? nameOf(user.firstName, user.lastName)
  const identity = { provider: 'workos', subject: user.id, email: user.email, emailVerified: user.emailVerified, name }
  const under = organizationId ? await workos.organizations.getOrganization(organizationId) : undefined
  return { ...identity, organisation, providerOrganisation: under?.id, providerOrganisationName: under?.name }
}

/**
 * A connection speaks for one organisation, and can put any address into its answer. Only addresses under a domain that WorkOS verified for that organisation
 * are taken for proved.
 */
async function ssoIdentity({ workos, clientId }: Access, { verifier, organisation, under }: ProviderAttempt, code: string): Promise<ProvedIdentity> {
  const { profile } = await workos.sso.getProfileAndToken({ clientId, code, codeVerifier: verifier })
  const { id: subject, email, organizationId } = profile
  if (under?.connection !== undefined && profile.connectionId !== under.connection) throw unproved('The profile is of another connection')
  if (under?.organisation !== undefined && organizationId !== under.organisation) throw unproved('The profile is of another organisation')
  const owner = organizationId ? await workos.organizations.getOrganization(organizationId) : undefined
  const emailVerified = owner !== undefined && isUnderVerifiedDomain(email, owner)
  const name = profile.name ?? nameOf(profile.firstName, profile.lastName)
  const identity = { provider: 'workos', subject, email, emailVerified, name }
  return { ...identity, organisation, providerOrganisation: owner?.id, providerOrganisationName: owner?.name }
}

function isUnderVerifiedDomain(email: string, { domains }: Organization): boolean {
  const domain = email.slice(email.lastIndexOf('@') + 1).toLowerCase()
  return domains.some(({ domain: own, state }) => state === 'verified' && own.toLowerCase() === domain)
}

function nameOf(first: string | null | undefined, last: string | null | undefined): string {
  return [first, last].filter((part) => part).join(' ')
}

function addressOf(url: string | undefined): { apiHostname?: string; port?: number; https?: boolean } {
  if (!url) return {}
  const { hostname, port, protocol } = new URL(url)
  return { apiHostname: hostname, https: protocol === 'https:', ...(port === '' ? {} : { port: Number(port) }) }
}

/** WorkOS's client errors are an answer that does not hold; its others are its own. */
function failure(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  const status = thrown instanceof Error && 'status' in thrown ? Number(thrown.status) : 0
  if (status >= 400 && status < 500 && status !== 401 && status !== 429) return unproved(sortOf(thrown))
  return new ServiceError('UPSTREAM', 'WorkOS did not answer; try again', { cause: sortOf(thrown) })
}

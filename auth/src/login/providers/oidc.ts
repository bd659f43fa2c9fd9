import { BoundedCache, ServiceError } from '@dot-do/worker-utils'
import * as oauth from 'oauth4webapi'
import type { ProvedIdentity } from '../../sessions/opening.ts'
import { challengeOf, type ProviderAttempt } from '../attempt.ts'
import { Declined, PROVIDER_TIMEOUT_MS, redirectUri, sortOf, unproved, type Hints, type Provider } from './provider.ts'
import type { OidcSettings } from './settings.ts'

/** What providers publish of themselves, by issuer; their keys are kept along with it, by the library. */
const published = new BoundedCache<string, Promise<oauth.AuthorizationServer>>({ maxEntries: 20, ttlMs: 600_000 })

/** Whoever keeps OpenID Connect: the code flow with PKCE, state and nonce; the ID token is checked whole, its signature too. */
export function oidcProvider(settings: OidcSettings, platformUrl: string): Provider {
  const { name, label } = settings
  const client: oauth.Client = { client_id: settings.clientId }
  return {
    name,
    label,
    async begin(attempt, hints) {
      return authorizationUrl(await discover(settings), { settings, attempt, hints, platformUrl })
    },
    async finish(attempt, answer) {
      const server = await discover(settings)
      const parameters = answerOf(server, client, { answer, attempt })
      try {
        return await identityOf(server, client, { settings, attempt, parameters, platformUrl })
      } catch (thrown) {
        throw failure(thrown)
      }
    },
  }
}

/** Reads what the provider publishes, and believes only what names the issuer that was configured. */
async function discover(settings: OidcSettings): Promise<oauth.AuthorizationServer> {
  const { issuer } = settings
  const known = published.get(issuer)
  if (known) return known
  const reading = readMetadata(settings)
  published.set(issuer, reading)
  return reading.catch((cause: unknown) => {
    published.delete(issuer)
    throw new ServiceError('UPSTREAM', `${settings.label} cannot be reached`, { cause: sortOf(cause) })
  })
}

async function readMetadata(settings: OidcSettings): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(settings.issuer)
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...transport(settings) }))
}

interface Asking {
  settings: OidcSettings
  attempt: ProviderAttempt
  hints: Hints
  platformUrl: string
}

async function authorizationUrl(server: oauth.AuthorizationServer, { settings, attempt, hints, platformUrl }: Asking): Promise<string> {
  if (!server.authorization_endpoint) throw new ServiceError('UPSTREAM', `${settings.label} names no address to sign in at`)
  const url = new URL(server.authorization_endpoint)
  const parameters = {
    client_id: settings.clientId,
    redirect_uri: redirectUri(platformUrl),
    response_type: 'code',
    scope: settings.scopes,
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await challengeOf(attempt.verifier),
    code_challenge_method: 'S256',
    ...(hints.loginHint === undefined ? {} : { login_hint: hints.loginHint }),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

/** The parameters of the answer, once they are this server's: its state, and its `iss` where it gives or promises one (RFC 9207). */
function answerOf(server: oauth.AuthorizationServer, client: oauth.Client, { answer, attempt }: { answer: URL; attempt: ProviderAttempt }): URLSearchParams {
  try {
    return oauth.validateAuthResponse(server, client, answer, attempt.state)
  } catch (thrown) {
    throw thrown instanceof oauth.AuthorizationResponseError ? new Declined(thrown.error) : unproved(reasonOf(thrown))
  }
}

interface Proof {
  settings: OidcSettings
  attempt: ProviderAttempt
  parameters: URLSearchParams
  platformUrl: string
}

async function identityOf(
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  { settings, attempt, parameters, platformUrl }: Proof,
): Promise<ProvedIdentity> {
  const { nonce: expectedNonce, verifier, organisation } = attempt
  const proof = authentication(server, settings)
  const options = transport(settings)
  const answer = await oauth.authorizationCodeGrantRequest(server, client, proof, parameters, redirectUri(platformUrl), verifier, options)
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, { expectedNonce, requireIdToken: true })
  // The library trusts the connection the token came by; the signature is looked at as well.
  await oauth.validateApplicationLevelSignature(server, answer, options)
  const claims = oauth.getValidatedIdTokenClaims(tokens)
  if (!claims) throw new Error('There is no ID token')
  const { email, email_verified, name } = claims['email'] === undefined ? await userInfo(server, client, { settings, tokens, subject: claims.sub }) : claims
  return {
    provider: settings.name,
    subject: claims.sub,
    email: typeof email === 'string' ? email : '',
    emailVerified: email_verified === true,
    name: typeof name === 'string' ? name : '',
    organisation,
  }
}

/** Some providers tell the address only there. */
async function userInfo(
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  { settings, tokens, subject }: { settings: OidcSettings; tokens: oauth.TokenEndpointResponse; subject: string },
): Promise<Record<string, unknown>> {
  if (!server.userinfo_endpoint) return {}
  const answer = await oauth.userInfoRequest(server, client, tokens.access_token, transport(settings))
  return oauth.processUserInfoResponse(server, client, subject, answer)
}

function authentication(server: oauth.AuthorizationServer, { clientSecret }: OidcSettings): oauth.ClientAuth {
  if (clientSecret === undefined) return oauth.None()
  const methods = server.token_endpoint_auth_methods_supported
  return methods && !methods.includes('client_secret_basic') ? oauth.ClientSecretPost(clientSecret) : oauth.ClientSecretBasic(clientSecret)
}

/** Only a provider on the Worker's own machine may be spoken to without TLS; the settings allow no other. */
function transport({ issuer }: OidcSettings) {
  return { signal: () => AbortSignal.timeout(PROVIDER_TIMEOUT_MS), [oauth.allowInsecureRequests]: issuer.startsWith('http:') }
}

/** What the provider refused or got wrong is nobody's proof; what never came is its fault. */
function failure(thrown: unknown): ServiceError {
  if (thrown instanceof ServiceError) return thrown
  if (thrown instanceof TypeError || (thrown instanceof DOMException && thrown.name === 'TimeoutError')) {
    return new ServiceError('UPSTREAM', 'The provider did not answer; try again', { cause: sortOf(thrown) })
  }
  return unproved(reasonOf(thrown))
}

/** The library's own words are constant, unlike what it attaches. */
function reasonOf(thrown: unknown): string {
  const isOwn = thrown instanceof oauth.OperationProcessingError || thrown instanceof oauth.ResponseBodyError
  return isOwn ? `${sortOf(thrown)}: ${thrown.message}` : sortOf(thrown)
}

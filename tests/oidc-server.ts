import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider } from 'oidc-provider'

/** A certified provider of OpenID Connect on this machine (https://openid.net/certification/). */
export interface OidcServer {
  issuer: string
  /** Makes the provider, for a platform that is there by now. Before that it answers nothing. */
  serve(platformUrl: string): void
  stop(): Promise<void>
}

/** The platform as the provider knows it. */
export const OIDC_CLIENT = { clientId: 'the-platform', clientSecret: 'the secret of the platform' }

/** Starts it on a free port. It knows the platform and another client of the same redirect address, demands PKCE, and signs in whoever gives a name. */
export async function startOidcServer(): Promise<OidcServer> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    serve: (platformUrl) => void server.on('request', makeProvider(issuer, platformUrl).callback()),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function makeProvider(issuer: string, platformUrl: string): Provider {
  const redirect_uris = [`${platformUrl}/auth/callback`]
  return new Provider(issuer, {
    clients: [
      { client_id: OIDC_CLIENT.clientId, client_secret: OIDC_CLIENT.clientSecret, redirect_uris },
      { client_id: 'another', client_secret: 'the secret of another', redirect_uris },
    ],
    claims: { email: ['email', 'email_verified'], profile: ['name'] },
    cookies: { keys: ['for tests'] },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@acme.example`, email_verified: true, name: id }) }),
    pkce: { required: () => true },
  })
}

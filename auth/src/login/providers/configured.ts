import type { HealthCheck } from '@dot-do/worker-types'
import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from '../../env.ts'
import { oidcProvider } from './oidc.ts'
import type { Provider } from './provider.ts'
import { readOidcSettings } from './settings.ts'
import { workosProvider } from './workos.ts'

/** The providers that are configured, in the order of their buttons. */
export function providersOf(env: Env): Provider[] {
  const workos = workosProvider(env)
  return [...(workos ? [workos] : []), ...readOidcSettings(env.OIDC_PROVIDERS).providers.map((settings) => oidcProvider(settings, env.PLATFORM_URL))]
}

/** The provider of a name. NOT_FOUND if none is configured by it. */
export function providerNamed(name: string, env: Env): Provider {
  const provider = providersOf(env).find((candidate) => candidate.name === name)
  if (!provider) throw new ServiceError('NOT_FOUND', 'There is no such way to sign in')
  return provider
}

/** Whether anybody can sign in by a provider, for `health`. */
export function providersHealth(env: Env): Pick<HealthCheck, 'status' | 'message'> {
  const { fault, providers } = readOidcSettings(env.OIDC_PROVIDERS)
  if (fault) return { status: 'degraded', message: fault }
  if (Boolean(env.WORKOS_API_KEY) !== Boolean(env.WORKOS_CLIENT_ID))
    return { status: 'degraded', message: 'WORKOS_API_KEY and WORKOS_CLIENT_ID go together; one is missing' }
  if (!env.WORKOS_API_KEY && providers.length === 0)
    return { status: 'degraded', message: 'Nobody can sign in by a provider: set WORKOS_API_KEY and WORKOS_CLIENT_ID, or OIDC_PROVIDERS' }
  return { status: 'ok' }
}

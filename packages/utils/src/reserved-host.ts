import { isPrivateHost } from './private-host.ts'
import { ServiceError } from './service-error.ts'

/** Refuses a host name that nobody can have for themselves: the platform's own, and those that mean something else on every machine. INVALID, by the field `host`. */
export function refuseReservedHost(host: string, suffix: string): void {
  const ending = suffix.replace(/:\d+$/, '')
  const isPlatforms = /\.(?:do|mw)$/.test(host) || (ending !== '' && host.endsWith(ending))
  if (!isPlatforms && !isPrivateHost(host)) return
  const message = isPlatforms ? "is the platform's own" : 'is not a public host name'
  throw new ServiceError('INVALID', `${host} ${message}`, { details: [{ path: 'host', message }] })
}

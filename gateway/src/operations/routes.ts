import { toServiceError } from '@dot-do/worker-utils'
import type { Call } from '@dot-do/worker-kernel/call'
import type { Env } from '../env.ts'
import { explain } from '../explanation.ts'
import type { Operations } from '../operations.ts'
import { ROUTES } from '../services.ts'
import { listDomains } from './domains.ts'

/** So many domains are told with the routes; the rest has a list of its own. */
const MAX_DOMAINS = 100

export const routes: Operations['routes'] = async ({ explain: asked, method }, call) => {
  const told = ROUTES.map(({ service, name, operation, route }) => ({
    service,
    operation: name,
    method: route.method,
    path: service === 'gateway' ? route.path : `/${service}${route.path}`,
    permission: operation.permission,
    limit: operation.limit ?? 'default',
  }))
  const [domains, explanation] = await Promise.all([
    knownDomains(call),
    asked === undefined ? undefined : explain({ asked, method: method.toUpperCase() }, call),
  ])
  return { routes: told, domains, ...(explanation && { explanation }) }
}

/** The routes are told also while the database is away. */
async function knownDomains(call: Call<Env>) {
  try {
    const { items } = await listDomains({ limit: MAX_DOMAINS }, call)
    return items
  } catch (thrown) {
    if (toServiceError(thrown).code !== 'UNAVAILABLE') throw thrown
    return null
  }
}

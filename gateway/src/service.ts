import { gateway } from '@dot-do/worker-contracts/gateway'
import { trackCalls } from '@dot-do/worker-data/tracking'
import { checkHealth, type Probe } from '@dot-do/worker-kernel/health'
import { implement, type Implementation } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/gateway.json' with { type: 'json' }
import type { Env } from './env.ts'
import { explain } from './explanation.ts'
import { ROUTES, SERVICES, type Reachable } from './services.ts'

const operations: Implementation<typeof gateway, Env> = {
  health(_input, { env }) {
    const probes = Object.entries(SERVICES).flatMap(([name, { binding }]) => (binding ? [[name, probeOf(binding(env))] as const] : []))
    return checkHealth(gateway, Object.fromEntries(probes))
  },

  about() {
    const services = Object.values(SERVICES).filter(({ binding }) => binding)
    return {
      name: 'dot-do',
      version: gateway.version,
      services: services.map(({ contract: { name, summary } }) => ({ name, summary, path: `/${name}` })),
      links: { health: '/health', openapi: '/openapi.json', mcp: '/mcp' },
    }
  },

  routes({ explain: asked, method }, { env, principal }) {
    const routes = ROUTES.map(({ service, name, operation, route }) => ({
      service,
      operation: name,
      method: route.method,
      path: service === 'gateway' ? route.path : `/${service}${route.path}`,
      permission: operation.permission,
      limit: operation.limit ?? 'default',
    }))
    return { routes, ...(asked !== undefined && { explanation: explain({ asked, method: method.toUpperCase() }, { principal, hostSuffix: env.HOST_SUFFIX }) }) }
  },
}

/** What the gateway itself does, by contract. */
export const service = implement<typeof gateway, Env>(gateway, operations, { document, observed: trackCalls('gateway') })

/** A service counts as it says of itself, with what it says is wrong. */
function probeOf(service: Reachable): Probe {
  return async () => {
    const { status, checks } = await service.health({})
    const failing = Object.entries(checks).filter(([, check]) => check.status !== 'ok')
    return { status, ...(failing.length > 0 && { message: failing.map(([name, { message }]) => `${name}: ${message ?? 'failing'}`).join('; ') }) }
  }
}

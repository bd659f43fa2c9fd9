import { gateway } from '@dot-do/worker-contracts/gateway'
import { trackCalls } from '@dot-do/worker-data/tracking'
import { checkHealth, type Probe } from '@dot-do/worker-kernel/health'
import { implement, type Implementation } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/gateway.json' with { type: 'json' }
import type { Env } from './env.ts'
import { createDomain, deleteDomain, listDomains } from './operations/domains.ts'
import { route } from './operations/route.ts'
import { routes } from './operations/routes.ts'
import { deleteFromWaitlist, joinWaitlist, listWaitlist } from './operations/waitlist.ts'
import { isHeldBack } from './passage.ts'
import { SERVICES, type Reachable } from './services.ts'

const operations: Implementation<typeof gateway, Env> = {
  health(_input, { env }) {
    const probes = Object.entries(SERVICES).flatMap(([name, { binding }]) => (binding ? [[name, probeOf(name, binding(env))] as const] : []))
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

  routes,
  route,
  createDomain,
  listDomains,
  deleteDomain,
  joinWaitlist,
  listWaitlist,
  deleteFromWaitlist,
}

/** What the gateway itself does, by contract. */
export const service = implement<typeof gateway, Env>(gateway, operations, { document, observed: trackCalls('gateway') })

/** A service counts as it says of itself, with what it says is wrong; one that is sent nothing is not well, whatever it says. */
function probeOf(name: string, service: Reachable): Probe {
  return async () => {
    const { status, checks } = await service.health({})
    const words = Object.entries(checks).flatMap(([part, check]) => (check.status === 'ok' ? [] : `${part}: ${check.message ?? 'failing'}`))
    if (isHeldBack(name)) words.push(`${name} did not answer again and again, and is sent nothing for a moment`)
    return { status: status === 'ok' && words.length > 0 ? 'degraded' : status, ...(words.length > 0 && { message: words.join('; ') }) }
  }
}

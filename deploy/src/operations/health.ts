import { deploy } from '@dot-do/worker-contracts/deploy'
import { batch } from '@dot-do/worker-data/database'
import { onward } from '@dot-do/worker-kernel/call'
import { checkHealth } from '@dot-do/worker-kernel/health'
import { cloudflareApi, missingConfiguration } from '../cloudflare.ts'
import type { Operations } from '../operations.ts'

export const health: Operations['health'] = (_input, call) =>
  checkHealth(deploy, {
    db: async () => {
      await batch(call, [{ sql: 'select 1', params: [] }])
    },
    // Whoever publishes depends on the dispatcher for what is live, so a dispatcher that is unwell leaves queries only.
    dispatcher: async () => {
      const { status } = await call.env.DISPATCHER_SERVICE.health({}, onward(call))
      return { status }
    },
    cloudflare: async () => {
      const missing = missingConfiguration(call.env)
      if (missing) return { status: 'degraded', message: `${missing} is not set: nothing can be published` }
      await cloudflareApi(call.env)({ method: 'GET', path: ['workers', 'dispatch', 'namespaces'] })
    },
    secrets: async () => (call.env.DEPLOY_SECRET_KEY ? undefined : { status: 'degraded', message: 'DEPLOY_SECRET_KEY is not set: no secret can be stored' }),
  })

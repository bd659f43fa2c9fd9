import { mcp } from '@dot-do/worker-contracts/mcp'
import { trackCalls } from '@dot-do/worker-data/tracking'
import { checkHealth } from '@dot-do/worker-kernel/health'
import { implement } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/mcp.json' with { type: 'json' }
import type { Env } from './env.ts'

/** What mcp itself does, by contract; the tools are the other services'. */
export const service = implement<typeof mcp, Env>(mcp, { health: () => checkHealth(mcp, {}) }, { document, observed: trackCalls('mcp') })

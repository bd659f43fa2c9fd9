import { contract, type ServiceOf } from './contract.ts'
import { health } from './health.ts'

export const mcp = contract('mcp', { summary: 'Every service’s tools in one place, for agents', version: '0.1.0' }, { health })

/** What a binder of mcp sees. */
export type Mcp = ServiceOf<typeof mcp>

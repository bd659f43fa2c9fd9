import type { Env } from './env.ts'
import { receive } from './front-door.ts'

export { RateCounter } from './rate-counter.ts'
export { GatewayService } from './rpc.ts'
export default { fetch: receive } satisfies ExportedHandler<Env>

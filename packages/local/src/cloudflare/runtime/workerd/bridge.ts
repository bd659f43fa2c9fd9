import { WorkerEntrypoint } from 'cloudflare:workers'
import type { HostEnv } from './environment.ts'
import { forwarding } from './forward.ts'
import { budgetOf } from './resident.ts'

interface BridgeProps {
  isolate: string
  service: string
  entrypoint?: string
  props?: unknown
}

/** A service binding of a published script: `fetch` and RPC go on to a Worker of the platform's process, with the entrypoint and properties of the binding. */
export class Bridge extends WorkerEntrypoint<HostEnv, BridgeProps> {
  constructor(ctx: ExecutionContext<BridgeProps>, env: HostEnv) {
    super(ctx, env)
    return forwarding(this, () => {
      budgetOf(ctx.props.isolate)?.spend()
      return targetOf(ctx, env)
    })
  }

  override fetch(request: Request): Promise<Response> {
    budgetOf(this.ctx.props.isolate)?.spend()
    return targetOf(this.ctx, this.env).fetch(request)
  }
}

function targetOf({ props }: ExecutionContext<BridgeProps>, env: HostEnv): Fetcher {
  return env.DEBUG_PORT.connect(env.HOME).getEntrypoint(`core:user:${props.service}`, props.entrypoint, props.props)
}

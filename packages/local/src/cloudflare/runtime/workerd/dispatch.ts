import { WorkerEntrypoint } from 'cloudflare:workers'
import { scriptKey, type DispatchCall } from '../protocol.ts'
import type { HostEnv } from './environment.ts'
import { forwarding } from './forward.ts'
import { isolateId, type Isolate } from './isolate.ts'
import { forget, touch } from './resident.ts'

/** Where the platform's binding gets to: `fetch` and RPC go on to the script that the properties name. */
export class Dispatch extends WorkerEntrypoint<HostEnv, DispatchCall> {
  constructor(ctx: ExecutionContext<DispatchCall>, env: HostEnv) {
    super(ctx, env)
    let entrypoint: object | undefined
    return forwarding(this, () => (entrypoint ??= isolateOf(ctx, env, ctx.props).entrypoint(ctx.props)))
  }

  override fetch(request: Request): Promise<Response> {
    return isolateOf(this.ctx, this.env, this.ctx.props).fetch(new Request(request, { cf: { call: this.ctx.props } }))
  }
}

/** The object that holds a call's script. Those that are too many then are dropped. */
export function isolateOf(ctx: ExecutionContext, env: HostEnv, call: DispatchCall): DurableObjectStub<Isolate> {
  const id = isolateId(call)
  for (const surplus of touch(id, scriptKey(call), env.MAX_RESIDENT)) {
    forget(surplus)
    ctx.waitUntil(env.ISOLATE.get(surplus).drop())
  }
  return env.ISOLATE.get(id)
}

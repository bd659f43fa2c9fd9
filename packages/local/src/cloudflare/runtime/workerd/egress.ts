import { WorkerEntrypoint } from 'cloudflare:workers'
import type { OutboundCall } from '../protocol.ts'
import type { HostEnv } from './environment.ts'
import { isPrivateHost } from './private-address.ts'
import { budgetOf } from './resident.ts'

/** Everything that published code sends out passes here: it has no other way to any network. Without a `connect`, TCP is refused. */
export class Egress extends WorkerEntrypoint<HostEnv, { isolate: string; outbound?: OutboundCall }> {
  override fetch(request: Request): Promise<Response> {
    const { isolate, outbound } = this.ctx.props
    budgetOf(isolate)?.spend()
    const { hostname } = new URL(request.url)
    if (isPrivateHost(hostname)) throw new Error(`Requests to ${hostname} are refused: it is not a public address.`)
    if (!outbound) return this.env.INTERNET.fetch(request)
    const { worker, parameters } = outbound
    return this.env.DEBUG_PORT.connect(this.env.HOME).getEntrypoint(`core:user:${worker}`, undefined, { parameters }).fetch(request)
  }
}

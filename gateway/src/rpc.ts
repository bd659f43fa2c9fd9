import { entrypoint } from '@dot-do/worker-kernel/rpc'
import { tools } from './mcp.ts'
import { service } from './service.ts'

/** What bindings of the gateway name. */
export class GatewayService extends entrypoint(service, tools) {}

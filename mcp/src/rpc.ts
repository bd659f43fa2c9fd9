import { entrypoint } from '@dot-do/worker-kernel/rpc'
import { tools } from './mcp.ts'
import { service } from './service.ts'

/** What bindings of mcp name. */
export class McpService extends entrypoint(service, tools) {}

import { entrypoint } from '@dot-do/worker-kernel/rpc'
import { tools } from './mcp.ts'
import { service } from './service.ts'

/** What bindings of deploy name. */
export class DeployService extends entrypoint(service, tools) {}

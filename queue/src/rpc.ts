import { entrypoint } from '@dot-do/worker-kernel/rpc'
import { tools } from './mcp.ts'
import { service } from './service.ts'

/** What bindings of queue name. */
export class QueueService extends entrypoint(service, tools) {}

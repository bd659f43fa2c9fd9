import { entrypoint } from '@dot-do/worker-kernel/rpc'
import { tools } from './mcp.ts'
import { service } from './service.ts'

/** What bindings of db name. */
export class DbService extends entrypoint(service, tools) {}

import { entrypoint } from '@dot-do/worker-kernel/rpc'
import { tools } from './mcp.ts'
import { service } from './service.ts'

/** What bindings of auth name. */
export class AuthService extends entrypoint(service, tools) {}

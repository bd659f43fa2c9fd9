import { entrypoint } from '@dot-do/worker-kernel/rpc'
import { tools } from './mcp.ts'
import { service } from './service.ts'

/** What bindings of schedule name. */
export class ScheduleService extends entrypoint(service, tools) {}

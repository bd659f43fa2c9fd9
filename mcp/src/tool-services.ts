import type { ToolService } from '@dot-do/worker-contracts/contract'
import type { McpTool, McpToolResult } from '@dot-do/worker-types'
import { error, log, ServiceError, toServiceError, toSnakeCase } from '@dot-do/worker-utils'
import { onBehalf, type Call } from '@dot-do/worker-kernel/call'
import type { Env } from './env.ts'

/** The services whose tools are served, by name. */
const SERVICES: Readonly<Record<string, (env: Env) => ToolService>> = {
  auth: (env) => env.AUTH_SERVICE,
  db: (env) => env.DB_SERVICE,
  deploy: (env) => env.DEPLOY_SERVICE,
  dispatcher: (env) => env.DISPATCHER_SERVICE,
  queue: (env) => env.QUEUE_SERVICE,
  schedule: (env) => env.SCHEDULE_SERVICE,
}

/** Names of services, narrowed to one where only its tools are asked for. NOT_FOUND for one that has none. */
export function servicesNamed(only: string | undefined): string[] {
  if (only === undefined) return Object.keys(SERVICES)
  if (!Object.hasOwn(SERVICES, only)) throw new ServiceError('NOT_FOUND', `No service ${only} with tools`)
  return [only]
}

/** The tools that whoever calls may use. A service that cannot answer is left out, so that the others stay usable. */
export async function listTools(names: string[], call: Call<Env>): Promise<McpTool[]> {
  const lists = await Promise.all(names.map((name) => toolsOf(name, call)))
  return lists.flat()
}

/** Uses a tool in the caller's name. Whatever goes wrong is a result that an agent can read. */
export async function useTool(
  names: string[],
  used: { name: string; arguments?: Record<string, unknown> | undefined },
  call: Call<Env>,
): Promise<McpToolResult> {
  const service = SERVICES[names.find((name) => used.name.startsWith(`${toSnakeCase(name)}_`)) ?? '']
  try {
    if (!service) throw new ServiceError('NOT_FOUND', `There is no tool ${used.name}`)
    return await service(call.env).callTool({ name: used.name, arguments: used.arguments }, onBehalf(call))
  } catch (thrown) {
    return { content: [{ type: 'text', text: JSON.stringify(error(toServiceError(thrown), call.requestId)) }], isError: true }
  }
}

async function toolsOf(name: string, call: Call<Env>): Promise<McpTool[]> {
  try {
    return (await SERVICES[name]?.(call.env).tools({}, onBehalf(call))) ?? []
  } catch (cause) {
    log('warn', 'tools_missing', { service: name, requestId: call.requestId, cause })
    return []
  }
}

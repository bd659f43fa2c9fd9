import type { Contract } from '@dot-do/worker-contracts/contract'
import type { McpTool, McpToolResult, Principal } from '@dot-do/worker-types'
import { error, ServiceError, toServiceError, toSnakeCase } from '@dot-do/worker-utils'
import type { Call } from './call.ts'
import { beforeInput, isAllowed } from './identity.ts'
import type { AnyImplemented, Implemented } from './implement.ts'
import { invoke } from './invoke.ts'

/** A service's tools: those a principal may use, and the way to use one. */
export interface Tools<Env> {
  list(principal: Principal): McpTool[]
  run(tool: string, input: unknown, call: Call<Env>): Promise<McpToolResult>
}

/** The tool that stands for an operation: `notes_create`. */
export function toolName(service: string, operation: string): string {
  return `${toSnakeCase(service)}_${toSnakeCase(operation)}`
}

/** The MCP projection. Descriptions and JSON Schemas come from the service's document, generated at build time; nothing is generated at start. */
export function mcp<C extends Contract, Env>(implemented: Implemented<C, Env>): Tools<Env> {
  const service = implemented as unknown as AnyImplemented<Env> // implement() checked operation against contract, name by name
  const { name, operations } = service.contract
  const offered = service.document['x-tools'] as McpTool[] // written by toolsOf from this contract; `pnpm check` keeps it fresh
  const operationOf = new Map(Object.keys(operations).map((operation) => [toolName(name, operation), operation]))

  function isFor(principal: Principal, tool: McpTool): boolean {
    const operation = operations[operationOf.get(tool.name) ?? '']
    return operation !== undefined && isAllowed(principal, operation.permission, beforeInput(operation))
  }

  return {
    list: (principal) => offered.filter((tool) => isFor(principal, tool)),
    async run(tool, input, call) {
      const operation = operationOf.get(tool)
      try {
        if (!operation || !operations[operation]?.tool) throw new ServiceError('NOT_FOUND', `There is no tool ${tool}`)
        return result(await invoke(service, { name: operation, gather: () => input }, call))
      } catch (thrown) {
        return failure(toServiceError(thrown), call.requestId)
      }
    },
  }
}

function result(answer: unknown): McpToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(answer) }], structuredContent: answer as Record<string, unknown> } // toolsOf refuses a tool whose output is no object
}

function failure(thrown: ServiceError, requestId: string): McpToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(error(thrown, requestId)) }], isError: true }
}

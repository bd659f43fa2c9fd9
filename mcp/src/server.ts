import { createMcpHandler, Server } from '@modelcontextprotocol/server'
import { mcp } from '@dot-do/worker-contracts/mcp'
import type { Call } from '@dot-do/worker-kernel/call'
import type { Env } from './env.ts'
import { listTools, servicesNamed, useTool } from './tool-services.ts'

/** Answers one MCP request, of revision 2026-07-28 or of a 2025 one, with the tools that whoever asks may use. It keeps nothing between requests. */
export function answerMcp(request: Request, call: Call<Env>, only?: string): Promise<Response> {
  const names = servicesNamed(only)
  return createMcpHandler(() => toolServer(names, call)).fetch(request)
}

/** The low-level server, because tools arrive with their JSON Schemas and are parsed by the service that owns them. */
function toolServer(names: string[], call: Call<Env>): Server {
  const server = new Server({ name: 'dot-do', title: mcp.summary, version: mcp.version }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', async () => ({ tools: await listTools(names, call) }))
  server.setRequestHandler('tools/call', ({ params }) => useTool(names, params, call))
  return server
}

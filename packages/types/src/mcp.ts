/** A JSON Schema (2020-12) as a value. */
export type JsonSchema = { [keyword: string]: unknown }

/** One tool as an MCP client sees it in `tools/list`. */
export interface McpTool {
  name: string
  title: string
  description: string
  inputSchema: JsonSchema & { type: 'object' }
  outputSchema?: JsonSchema & { type: 'object' }
  annotations: { readOnlyHint: boolean; idempotentHint: boolean; destructiveHint: boolean; openWorldHint: boolean }
}

/** What a tool call comes back with. An error is a result an agent can read, not a protocol failure. */
export interface McpToolResult {
  [further: string]: unknown
  content: { type: 'text'; text: string }[]
  structuredContent?: Record<string, unknown>
  isError?: boolean
}

/** One resource as an MCP client sees it in `resources/list`. */
export interface McpResource {
  uri: string
  name: string
  title?: string
  description?: string
  mimeType?: string
}

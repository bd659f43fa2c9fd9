import { toSnakeCase } from '@dot-do/worker-utils'

/** A schema as OpenAPI 3.1 writes it, as far as contracts use it. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  examples?: unknown[]
  format?: string
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
}

/** What stands beside the body of a request. */
export interface Parameter {
  name: string
  in: string
  required?: boolean
  description?: string
  schema: Schema
}

/** One operation of a path. */
export interface OperationObject {
  operationId: string
  tags: string[]
  summary: string
  description?: string
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> }
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: Schema }> }>
  'x-permission': string
}

/** A tool as agents see it. */
export interface Tool {
  name: string
  description: string
  inputSchema: Schema
}

/** The merged OpenAPI document, as far as the page reads it. */
export interface ApiDocument {
  info: { title: string; version: string; summary?: string }
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, OperationObject>>
  components: { schemas: Record<string, Schema> }
  'x-tools': Tool[]
}

/** One operation with where it is found. */
export interface Described extends OperationObject {
  method: string
  path: string
}

/** The operations of a service, in the order of the document. */
export function operationsOf({ paths }: ApiDocument, service: string): Described[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([, operation]) => operation.tags.includes(service))
      .map(([method, operation]) => Object.assign({ method: method.toUpperCase(), path }, operation)),
  )
}

/** The operation's own name: that of its RPC method. */
export function methodOf({ operationId, tags: [service = ''] }: OperationObject): string {
  return operationId.slice(service.length + 1)
}

/** What an operation is called as a tool, whether it is one or not. */
export function toolOf(operation: OperationObject): string {
  return `${operation.tags[0]}_${toSnakeCase(methodOf(operation))}`
}

/** The name of the document's schema that a reference points to. */
export function referredName({ $ref }: Schema): string | undefined {
  return /^#\/components\/schemas\/(.+)$/.exec($ref ?? '')?.[1]
}

/** What an operation answers, out of its envelope, under the first status that is no refusal. */
export function answerOf({ responses }: OperationObject): { statuses: string[]; schema: Schema | undefined } {
  const answers = Object.entries(responses).filter(([, response]) => !response.$ref)
  const schema = answers[0]?.[1].content?.['application/json']?.schema
  return { statuses: answers.map(([status]) => status), schema: schema?.properties?.['data'] ?? schema }
}

/** The refusals that an operation names, as status and code. */
export function refusalsOf({ responses }: OperationObject): [status: string, code: string][] {
  return Object.entries(responses).flatMap(([status, { $ref }]) => ($ref ? [[status, $ref.replace('#/components/responses/', '')] as [string, string]] : []))
}

/** The schema of the body that an operation takes. */
export function bodyOf({ requestBody }: OperationObject): Schema | undefined {
  return requestBody?.content['application/json']?.schema
}

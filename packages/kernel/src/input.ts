import type { AnyOperation } from '@dot-do/worker-contracts/contract'
import type { RoutedOperation } from '@dot-do/worker-contracts/route'
import { ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'

/** 1 MiB: what a body may weigh where the operation does not say otherwise. */
const BODY_LIMIT_BYTES = 1_048_576

/** One HTTP request as the projection needs it: path parameters are decoded already. */
export interface HttpInput {
  request: Request
  /** The query string, with its question mark or without, empty where there is none. */
  query: string
  parameters: Record<string, string>
  /** Whether the caller proved itself by a header, which a foreign page cannot send. */
  headerCredential: boolean
}

/** Gathers an operation's raw input from path, query string and body. INVALID for broken JSON, TOO_LARGE before an oversized body is read. */
export async function gatherInput({ operation, route }: RoutedOperation, input: HttpInput): Promise<unknown> {
  const body = route.method === 'GET' ? {} : await bodyInput(operation, input)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('', 'must be a JSON object')
  const parameters = Object.entries(input.parameters).map(([name, text]) => [name, [text]] as const)
  return { ...fromTexts(operation.input, searchedTexts(input.query)), ...body, ...fromTexts(operation.input, parameters) }
}

/** The texts of a query string by name, in one pass: a name may be there ten thousand times. */
function searchedTexts(query: string): [name: string, texts: string[]][] {
  if (query === '') return []
  const texts = new Map<string, string[]>()
  for (const [name, text] of new URLSearchParams(query)) {
    const known = texts.get(name)
    if (known) known.push(text)
    else texts.set(name, [text])
  }
  return [...texts]
}

/** A path and a query string carry text only: each value takes the type its schema asks for, and what does not convert or is not known is left for the schema to judge. */
function fromTexts({ shape }: z.ZodObject, named: (readonly [name: string, texts: readonly string[]])[]): Record<string, unknown> {
  return Object.fromEntries(
    named.map(([name, texts]) => {
      const field = Object.hasOwn(shape, name) ? shape[name] : undefined
      return [name, field ? fromText(name, field, texts) : texts.at(-1)]
    }),
  )
}

function fromText(name: string, schema: z.core.$ZodType, texts: readonly string[]): unknown {
  const definition = unwrap(schema)
  if (definition.type === 'array') return texts.map((text) => fromText(name, (definition as z.core.$ZodArrayDef).element, [text]))
  const text = texts.at(-1) ?? ''
  if (definition.type === 'number' && text.trim() !== '') return Number.isNaN(Number(text)) ? text : Number(text)
  if (definition.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  if (definition.type === 'object' || definition.type === 'record' || 'discriminator' in definition) return parsedJson(text, name)
  return text
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodTypeDef {
  const definition = schema._zod.def as z.core.$ZodTypeDef & { innerType?: z.core.$ZodType } // optional, default and nullable hold what they wrap
  return definition.innerType ? unwrap(definition.innerType) : definition
}

async function bodyInput(operation: AnyOperation, { request, headerCredential }: HttpInput): Promise<unknown> {
  const text = await readText(request, operation.bodyLimitBytes ?? BODY_LIMIT_BYTES)
  if (text === '') return {}
  const type = request.headers.get('Content-Type') ?? ''
  // A page on another origin can post a form or plain text with the user's cookie, but no JSON type and no credential header.
  if (!/^application\/([\w.-]+\+)?json\b/i.test(type) && !headerCredential) throw invalid('Content-Type', 'must be application/json')
  return parsedJson(text, '')
}

function parsedJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalid(path, 'is not JSON', cause)
  }
}

/** Reads a body of at most `limit` bytes. The announced length is refused unread; an unannounced one as soon as it is passed. */
async function readText(request: Request, limit: number): Promise<string> {
  const announced = Number(request.headers.get('Content-Length') ?? 0)
  if (announced > limit) throw tooLarge(limit)
  if (announced > 0 || request.body === null) return request.text()
  const decoder = new TextDecoder()
  let [text, sizeBytes] = ['', 0]
  for await (const chunk of request.body) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > limit) throw tooLarge(limit)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function tooLarge(limit: number): ServiceError {
  return new ServiceError('TOO_LARGE', `The body may have at most ${limit} bytes`)
}

function invalid(path: string, message: string, cause?: unknown): ServiceError {
  return new ServiceError('INVALID', path ? `${path} ${message}` : `The body ${message}`, { details: [{ path, message }], cause })
}

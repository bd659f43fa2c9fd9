import * as z from 'zod'
import { CloudflareError, unreadableBody } from '../errors.ts'

/** The most that a request may bring: three times what a script may weigh compressed. */
const BODY_BYTES = 32 * 1_048_576

/** The most that a request with static files may bring: one of 25 MiB, in base64. */
export const ASSET_BODY_BYTES = 40 * 1_048_576

/** The body as a form. One that is too large is refused before it is read, or where its length is not told, once that much came. */
export async function readForm(request: Request, limitBytes = BODY_BYTES): Promise<FormData> {
  const type = request.headers.get('content-type') ?? ''
  if (!type.startsWith('multipart/form-data')) throw unreadableBody('The body must be multipart/form-data')
  const body = bounded(request, limitBytes)
  try {
    return await new Response(body, { headers: { 'content-type': type } }).formData()
  } catch (error) {
    throw refusalIn(error) ?? unreadableBody('The body is not readable as multipart/form-data')
  }
}

/** The body as JSON of a shape; the message of a refusal names the field. */
export async function readJson<Schema extends z.ZodType>(request: Request, schema: Schema): Promise<z.output<Schema>> {
  try {
    return check(parseJson(await new Response(bounded(request, BODY_BYTES)).text(), 'The body'), schema)
  } catch (error) {
    throw refusalIn(error) ?? error
  }
}

/** Text as JSON; `what` begins the message of a refusal. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw unreadableBody(`${what} is not JSON`)
  }
}

/** A value of a shape, or a refusal that names the first field that is wrong. It never repeats the value, which may be a secret. */
export function check<Schema extends z.ZodType>(value: unknown, schema: Schema): z.output<Schema> {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  const [issue] = error.issues
  throw unreadableBody(`${issue?.path.join('.') || 'body'}: ${issue?.message}`)
}

function bounded(request: Request, limitBytes: number): ReadableStream<Uint8Array> | null {
  if (Number(request.headers.get('content-length')) > limitBytes) throw tooLarge(limitBytes)
  let sizeBytes = 0
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      sizeBytes += chunk.byteLength
      if (sizeBytes > limitBytes) controller.error(tooLarge(limitBytes))
      else controller.enqueue(chunk)
    },
  })
  return request.body?.pipeThrough(counter) ?? null
}

function tooLarge(limitBytes: number): CloudflareError {
  return new CloudflareError(413, 10_027, `The request body is larger than ${limitBytes / 1_048_576} MiB`)
}

/** A parser may wrap what the stream failed with. */
function refusalIn(error: unknown): CloudflareError | undefined {
  if (error instanceof CloudflareError) return error
  return error instanceof Error && error.cause ? refusalIn(error.cause) : undefined
}

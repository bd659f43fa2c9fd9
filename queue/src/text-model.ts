import { ServiceError } from '@dot-do/worker-utils'
import type { ErrorCode } from '@dot-do/worker-types'
import type { Env } from './env.ts'

/** What a model is asked for. */
export interface TextRequest {
  model: string
  prompt: string
  maxTokens: number
}

/** What is used of Workers AI; its own types know a list of models, which changes. */
interface TextModels {
  run(model: string, input: object): Promise<unknown>
}

/** Models write slowly; past this nobody waits. */
const TIMEOUT_MS = 60_000

/** The most that is kept of an answer, in characters. */
const LONGEST_TEXT = 262_144

/** What the numbers in Workers AI’s errors mean here (developers.cloudflare.com/workers-ai/platform/errors); all others are UPSTREAM. */
const CODES: Readonly<Record<string, [ErrorCode, string]>> = {
  '3006': ['TOO_LARGE', 'The prompt is too large for this model'],
  '3036': ['RATE_LIMITED', 'This account has used up its daily allocation of Workers AI'],
  '3040': ['RATE_LIMITED', 'Workers AI has no capacity for this model at the moment'],
  '3041': ['INVALID', 'This account may not use this model'],
  '3042': ['INVALID', 'Workers AI has no such model'],
  '5007': ['INVALID', 'Workers AI has no such model'],
  '5016': ['INVALID', 'The terms of this model were not agreed to'],
  '5018': ['INVALID', 'This account may not use this model'],
}

/** Lets a model of Workers AI write. UNAVAILABLE where that is not bound; what it refuses keeps its reason. */
export async function writeText({ model, prompt, maxTokens }: TextRequest, { AI }: Pick<Env, 'AI'>): Promise<string> {
  if (!AI) throw new ServiceError('UNAVAILABLE', 'No model can be asked: Workers AI is not bound, as AI')
  const models = AI as unknown as TextModels // the same binding, without its list of models
  const answer = await inTime(models.run(model, { messages: [{ role: 'user', content: prompt }], max_tokens: maxTokens }))
  const text = textOf(answer)
  if (text === undefined) throw new ServiceError('UPSTREAM', `${model} answered with something else than a text`)
  return stored(text)
}

async function inTime(running: Promise<unknown>): Promise<unknown> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new ServiceError('UPSTREAM', `Workers AI did not answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS)
  try {
    return await Promise.race([running, late.promise])
  } catch (thrown) {
    throw thrown instanceof ServiceError ? thrown : refusal(thrown)
  } finally {
    clearTimeout(timer)
  }
}

/** Workers AI’s errors begin with a number: `5007: No such model …`, with the kind of error before it or not. */
function refusal(cause: unknown): ServiceError {
  const number = /^(?:[A-Za-z]+: )?(\d{4})\b/.exec(cause instanceof Error ? cause.message : '')?.[1] ?? ''
  const [code, message] = CODES[number] ?? ['UPSTREAM', 'Workers AI failed']
  return new ServiceError(code, message, code === 'INVALID' ? { details: [{ path: 'model', message }], cause } : { cause })
}

/** Older models answer `{ response }`, newer ones as OpenAI's do. */
function textOf(answer: unknown): string | undefined {
  const { response, choices } = (answer ?? {}) as { response?: unknown; choices?: { message?: { content?: unknown } }[] } // each part is looked at below
  const text = response ?? (Array.isArray(choices) ? choices[0]?.message?.content : undefined)
  return typeof text === 'string' ? text : undefined
}

/** A text as PostgreSQL can keep it: without NUL and without half of a character. */
function stored(text: string): string {
  return text.replaceAll('\0', '').slice(0, LONGEST_TEXT).toWellFormed()
}

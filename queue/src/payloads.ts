import { INLINE_PAYLOAD_BYTES, PAYLOAD_BYTES } from '@dot-do/worker-contracts/job'
import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import type { JobRow } from './job-row.ts'

type Bucket = Pick<Env, 'QUEUE_BUCKET'>

/** What PostgreSQL takes into no jsonb, though it is JSON: the letter zero, and halves of letters. */
const UNSTORABLE = /\\u(?:0000|d[89a-f])/i

/** Where a value lies: in the row, or, past 128 KiB, in R2. */
export interface Kept {
  /** Of its JSON. */
  bytes: number
  inline?: unknown
  key?: string
}

/** Puts what a job is given where it will be looked for; before the job is there, so that no job is without. */
export async function keepPayload(id: string, payload: unknown, env: Bucket): Promise<Kept> {
  const json = JSON.stringify(payload)
  const bytes = new TextEncoder().encode(json)
  if (bytes.length > PAYLOAD_BYTES) throw tooLarge(bytes.length)
  return keep(`payloads/${id}`, { value: payload, json, bytes }, env)
}

/** Puts what came of a job where it will be looked for. */
export function keepResult(id: string, result: unknown, env: Bucket): Promise<Kept> {
  const json = JSON.stringify(result ?? null)
  return keep(`results/${id}`, { value: result ?? null, json, bytes: new TextEncoder().encode(json) }, env)
}

/** What a job was given. */
export function readPayload({ payload, payloadKey }: Pick<JobRow, 'payload' | 'payloadKey'>, env: Bucket): Promise<unknown> {
  return payloadKey === null ? Promise.resolve(payload) : read(payloadKey, env)
}

/** What came of a job; undefined where nothing did yet. */
export function readResult({ result, resultKey }: Pick<JobRow, 'result' | 'resultKey'>, env: Bucket): Promise<unknown> {
  return resultKey === null ? Promise.resolve(result ?? undefined) : read(resultKey, env)
}

async function keep(key: string, { value, json, bytes }: { value: unknown; json: string; bytes: Uint8Array }, env: Bucket): Promise<Kept> {
  if (bytes.length <= INLINE_PAYLOAD_BYTES && !UNSTORABLE.test(json)) return { bytes: bytes.length, inline: value }
  await env.QUEUE_BUCKET.put(key, bytes, { httpMetadata: { contentType: 'application/json' } })
  return { bytes: bytes.length, key }
}

async function read(key: string, env: Bucket): Promise<unknown> {
  const object = await env.QUEUE_BUCKET.get(key)
  if (!object) throw new ServiceError('NOT_FOUND', 'What the job was given is no longer kept')
  return object.json()
}

function tooLarge(bytes: number): ServiceError {
  return new ServiceError('TOO_LARGE', `A payload has at most ${PAYLOAD_BYTES} bytes`, { details: [{ path: 'payload', message: `has ${bytes} bytes` }] })
}

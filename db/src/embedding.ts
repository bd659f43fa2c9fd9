import { EMBEDDING_DIMENSIONS } from '@dot-do/worker-contracts/search'
import type { Call } from '@dot-do/worker-kernel/call'
import { BoundedCache, log, ServiceError, toServiceError } from '@dot-do/worker-utils'
import { connectionAs } from './database.ts'
import { hashedEmbedding, HASHING_MODEL } from './embedder.ts'
import { findMissing, findMissingOf, hasEmbeddingsTable, keepEmbeddings, removeStale, type Meaning } from './embeddings.ts'
import type { Env } from './env.ts'

/** The model of Workers AI, where that is bound: 384 numbers, 512 tokens of English. */
const AI_MODEL = '@cf/baai/bge-small-en-v1.5'

/** What the model does not read anyway. */
const AI_MAX_CHARACTERS = 4_000

/** A provider that gives no answer is given up after this time. */
const AI_TIMEOUT_MS = 15_000

/** So many embeddings are made and kept at once: inserting into the index takes milliseconds each, and on the embedded engine everybody else waits meanwhile. */
const PART = 20

/** Whether a database has vectors, by its URL; known for a minute, so that pgvector may be added to a running platform. */
const vectors = new BoundedCache<string, boolean>({ maxEntries: 16, ttlMs: 60_000 })

/** The model that makes embeddings here; embeddings of another one are not compared with. */
export function currentModel({ AI }: Env): string {
  return AI ? AI_MODEL : HASHING_MODEL
}

/** An embedding of each text; null for a text that has none, being without a letter or digit. UPSTREAM when Workers AI fails. */
export async function embeddingsOf(texts: string[], { AI }: Env): Promise<(number[] | null)[]> {
  const made = AI
    ? await askModel(
        AI,
        texts.map((text) => text.slice(0, AI_MAX_CHARACTERS)),
      )
    : texts.map((text) => hashedEmbedding(text) ?? null)
  return made
}

/** Whether this database has embeddings at all. */
export async function hasVectors(env: Env): Promise<boolean> {
  const known = vectors.get(env.DATABASE_URL)
  if (known !== undefined) return known
  const connection = await connectionAs('db', env)
  const [result] = await connection([hasEmbeddingsTable])
  const has = result?.rows[0]?.[0] === true
  vectors.set(env.DATABASE_URL, has)
  return has
}

/** Refuses where the database has no vectors, and says what to do. */
export async function demandVectors(env: Env): Promise<void> {
  if (await hasVectors(env)) return
  throw new ServiceError(
    'UNAVAILABLE',
    'This database has no pgvector: install it, then run "call db.add_vectors()" as its owner, or search with mode fullText',
  )
}

/**
 * Makes the embeddings of things that were just written, or removes those of deleted ones, once the call was answered. A failure is logged; what is missing then,
 * the task generate-missing-embeddings makes.
 */
export function embedLater(things: readonly { ns: string; id: string }[], call: Call<Env>): void {
  if (things.length === 0) return
  const { env, requestId } = call
  const failed = (thrown: unknown) => {
    const { code, message, cause } = toServiceError(thrown)
    log('error', 'embedding_failed', { service: 'db', requestId, things: things.length, code, message, cause })
  }
  call.waitUntil(embedThings(things, env).catch(failed))
}

/** Makes the embeddings of some things of which there is none, or none of this model and version. */
export async function embedThings(things: readonly { ns: string; id: string }[], env: Env): Promise<void> {
  if (!(await hasVectors(env))) return
  const connection = await connectionAs('db', env)
  for (let first = 0; first < things.length; first += PART) {
    const part = things.slice(first, first + PART)
    const [, found] = await connection([removeStale(part), findMissingOf(part, currentModel(env))])
    await keep((found?.rows ?? []).map(meaningOf), env)
  }
}

/** Makes embeddings that are missing anywhere, so many at most. How many were made, and how many are missing still. */
export async function embedMissing(limit: number, env: Env): Promise<{ made: number; missing: number }> {
  const connection = await connectionAs('db', env)
  const [, found] = await connection([removeStale(), findMissing(limit, currentModel(env))])
  const rows = found?.rows ?? []
  const meanings = rows.map(meaningOf)
  for (let first = 0; first < meanings.length; first += PART) await keep(meanings.slice(first, first + PART), env)
  return { made: meanings.length, missing: Number(rows[0]?.[4] ?? 0) - meanings.length }
}

/** Keeps embeddings of what things mean now; one that was changed or deleted meanwhile gets none, whoever changed it makes its own. */
export async function keep(meanings: Meaning[], env: Env): Promise<void> {
  if (meanings.length === 0) return
  const embeddings = await embeddingsOf(
    meanings.map(({ text }) => text),
    env,
  )
  const made = meanings.map(({ ns, id, version }, index) => ({ ns, id, version, embedding: embeddings[index] ?? null }))
  const connection = await connectionAs('db', env)
  await connection([keepEmbeddings(made, currentModel(env))])
}

/** A row of what is missing. */
export function meaningOf([ns, id, version, text]: unknown[]): Meaning {
  return { ns: String(ns), id: String(id), version: Number(version), text: String(text) }
}

async function askModel(ai: Ai, texts: string[]): Promise<number[][]> {
  try {
    const answer: unknown = await ai.run(AI_MODEL, { text: texts }, { signal: AbortSignal.timeout(AI_TIMEOUT_MS) })
    const embeddings = typeof answer === 'object' && answer !== null && 'data' in answer ? answer.data : undefined
    if (areEmbeddings(embeddings, texts.length)) return embeddings
  } catch (cause) {
    throw new ServiceError('UPSTREAM', 'The model that makes embeddings failed', { cause })
  }
  throw new ServiceError('UPSTREAM', 'The model that makes embeddings gave something else')
}

function areEmbeddings(value: unknown, count: number): value is number[][] {
  const isEmbedding = (one: unknown) => Array.isArray(one) && one.length === EMBEDDING_DIMENSIONS && one.every((number) => Number.isFinite(number))
  return Array.isArray(value) && value.length === count && value.every(isEmbedding)
}

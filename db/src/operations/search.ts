import type { Found } from '@dot-do/worker-contracts/search'
import type { Call } from '@dot-do/worker-kernel/call'
import { canonicalJson, decodeCursor, encodeCursor, namespaceFor, ServiceError, sha256Hex } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { connectionAs } from '../database.ts'
import { hasMeaning } from '../embedder.ts'
import { currentModel, demandVectors, embeddingsOf, hasVectors } from '../embedding.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { questionOf } from '../question.ts'
import { searchHybrid, searchText, searchVector, type Search } from '../search.ts'

/** Nobody pages further: what is not among the first thousand was asked for badly. */
const MAX_OFFSET = 1_000

type Input = Parameters<Operations['search']>[0]
type Mode = NonNullable<Input['mode']>

const STATEMENTS = { fullText: searchText, vector: searchVector, hybrid: searchHybrid }

export const search: Operations['search'] = async (input, call) => {
  const { q, embedding, explain, limit, cursor } = input
  const selection = { ns: namespaceFor(call.principal, input.ns), id: input.id, type: input.type, filter: input.filter }
  const mode = await modeOf(input, call.env)
  const model = mode === 'fullText' ? null : currentModel(call.env)
  const asked = (await sha256Hex(canonicalJson({ q, embedding, mode, model, ...selection }))).slice(0, 24)
  const offset = cursor === undefined ? 0 : offsetOf(cursor, asked)
  const question = q === undefined ? undefined : questionOf(q)
  const nothing = { items: [], nextCursor: null, mode, model }
  if (question && !hasMeaning(question.wanted)) return nothing

  const direction = model === null ? undefined : embedding ? unitOf(embedding) : (await embeddingsOf([question?.wanted ?? ''], call.env))[0]
  if (model !== null && !direction) return nothing
  const near = model !== null && direction ? { embedding: direction, model } : undefined
  const found = await run(mode, { selection, question, near, offset, limit }, { call, explain })
  const next = offset + limit
  return { items: found.slice(0, limit), nextCursor: found.length > limit && next <= MAX_OFFSET ? encodeCursor([next, asked]) : null, mode, model }
}

/** What kind of search it is to be. INVALID for a question that is none or two. */
async function modeOf({ q, embedding, mode }: Input, env: Env): Promise<Mode> {
  if (q === undefined && embedding === undefined) throw invalid('q', 'Is required, or an embedding')
  if (q !== undefined && embedding !== undefined) throw invalid('embedding', 'Takes the place of q: give one of them')
  if (embedding !== undefined && mode !== undefined && mode !== 'vector') throw invalid('mode', 'Must be vector with an embedding')
  if (mode === 'fullText') return mode
  const wanted = embedding === undefined ? mode : 'vector'
  if (wanted === undefined) return (await hasVectors(env)) ? 'hybrid' : 'fullText'
  await demandVectors(env)
  return wanted
}

async function run(mode: Mode, search: Search, { call, explain }: { call: Call<Env>; explain: boolean }): Promise<z.input<typeof Found>[]> {
  const connection = await connectionAs('db', call.env)
  const [result] = await connection([STATEMENTS[mode](search)])
  return (result?.rows ?? []).map((row) => {
    const [thing, score, textRank, textScore, vectorRank, vectorScore] = row as [z.input<typeof Found>['thing'], ...(number | null)[]] // the columns of search.ts's statements
    const part = (rank: number | null | undefined, of: number | null | undefined) => (typeof rank === 'number' ? { rank, score: of ?? 0 } : undefined)
    const [fullText, vector] = [part(textRank, textScore), part(vectorRank, vectorScore)]
    return { thing, score: score ?? 0, ...(explain && { explain: { ...(fullText && { fullText }), ...(vector && { vector }) } }) }
  })
}

/** A cursor belongs to its question: with another it would skip what nobody has seen. */
function offsetOf(cursor: string, asked: string): number {
  const [offset] = decodeCursor(cursor, (place): place is [number, string] => {
    if (!Array.isArray(place) || place.length !== 2) return false
    const [offset, of] = place as unknown[]
    return Number.isSafeInteger(offset) && Number(offset) >= 1 && Number(offset) <= MAX_OFFSET && of === asked
  })
  return offset
}

/** The same direction at length 1, which the database's smaller numbers can hold whatever the length was. */
function unitOf(embedding: number[]): number[] {
  const largest = Math.max(...embedding.map(Math.abs))
  const scaled = embedding.map((number) => number / largest)
  const length = Math.hypot(...scaled)
  return scaled.map((number) => number / length)
}

function invalid(path: string, message: string): ServiceError {
  return new ServiceError('INVALID', 'The input does not fit', { details: [{ path, message }] })
}

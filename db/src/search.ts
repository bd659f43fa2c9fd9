import type { Statement } from './database.ts'
import { Parameters } from './parameters.ts'
import type { Question } from './question.ts'
import { conditionsOf, type Selection } from './selection.ts'

/** What is searched for, among which things, and which part of what was found is wanted. A search by vector alone has no question when the caller brought the embedding. */
export interface Search {
  selection: Selection
  question?: Question | undefined
  /** By meaning: an embedding, and the model that made it. */
  near?: { embedding: readonly number[]; model: string } | undefined
  offset: number
  /** One more is looked for, to know whether there is a next page. */
  limit: number
}

/** Things that have all words are looked at up to this many, so that words which nearly everything has stay quick. */
const MAX_CANDIDATES = 500

/** Things that have one of the words, for each word: so a rare word's are all looked at, whatever common words stand beside it. */
const MAX_CANDIDATES_OF_WORD = 200

/** Where both halves are joined, this many of each are. */
const MAX_OF_HALF = 100

/** Among so few things, all are compared, which finds them all; among more, the index finds the nearest first and passes over those that are not meant. */
const MAX_COMPARED = 1_000

/** What reciprocal rank fusion adds to each rank: the larger, the less the first few places count (Cormack, Clarke and Büttcher, 2009). */
const RANK_OFFSET = 60

/** By how near each other all the words stand. What this takes grows with the third power of their number, so the first few have to do. */
const RANK_OF_ALL = `ts_rank_cd(t.words, (select string_agg(word::text, ' & ')::tsquery from asked where place <= 5), 1)`

/** By how many of the words there are, and how often. It must be asked for one or the other: of words that are all to be there, it would compare every place with every other. */
const RANK_OF_ANY = `ts_rank(t.words, (select string_agg(word::text, ' | ')::tsquery from asked))`

/** Finds things that have all the words, the best match first: rows of thing, score, and for each half rank and score. */
export function searchText(search: Search): Statement {
  const builder = new Builder(search)
  return builder.statement(
    builder.allWords(),
    `select id, score, rank as text_rank, score as text_score, null::integer as vector_rank, null::float8 as vector_score from text`,
  )
}

/** Finds things by nearness, nearest first. */
export function searchVector(search: Search): Statement {
  const builder = new Builder(search)
  const found = `select id, score, null::integer as text_rank, null::float8 as text_score, rank as vector_rank, score as vector_score from vector`
  return builder.statement([...builder.nearest(search.offset + search.limit + 1)], found)
}

/** Finds things by words and by nearness at once, by reciprocal rank fusion of both. */
export function searchHybrid(search: Search): Statement {
  const builder = new Builder(search)
  const fused = `select id, coalesce(1.0 / (${RANK_OFFSET} + text.rank), 0)::float8 + coalesce(1.0 / (${RANK_OFFSET} + vector.rank), 0)::float8 as score,
    text.rank as text_rank, text.score as text_score, vector.rank as vector_rank, vector.score as vector_score
    from text full join vector using (id)`
  return builder.statement([...builder.anyWord(), ...builder.nearest(MAX_OF_HALF)], fused)
}

/** Writes the parts of one statement; a part's values are numbered as it is written. */
class Builder {
  readonly #search: Search
  readonly #parameters = new Parameters()
  readonly #ns: string
  readonly #selected: string

  constructor(search: Search) {
    this.#search = search
    this.#ns = this.#parameters.add(search.selection.ns)
    this.#selected = conditionsOf(search.selection, this.#parameters)
  }

  /** What was found, in pages: `found` gives id, score and each half's rank and score. */
  statement(parts: string[], found: string): Statement {
    const { offset, limit } = this.#search
    const page = `limit ${this.#parameters.add(limit + 1)}::integer offset ${this.#parameters.add(offset)}::integer`
    return {
      sql: `with ${parts.join(', ')}, found as (${found} order by score desc, id ${page})
        select db.thing_json(t), found.score, text_rank, text_score, vector_rank, vector_score
        from found join db.things t on t.ns = ${this.#ns} and t.id = found.id order by found.score desc, found.id`,
      params: this.#parameters.values,
    }
  }

  allWords(): string[] {
    const { whole = '', isChoice = false } = this.#search.question ?? {}
    const words = this.#words(whole)
    // A question without a word would match whatever is at the place.
    const candidates = `select t.id, ${isChoice ? RANK_OF_ANY : RANK_OF_ALL}::float8 as score from ${this.#having(words)}
      where numnode(${words}) > 0 and ${this.#selected} limit ${MAX_CANDIDATES}`
    return [this.#asked(), `text as (${ranked(candidates)})`]
  }

  /** What matches the whole question comes before what has some of its words. */
  anyWord(): string[] {
    const { whole = '', unwanted = '' } = this.#search.question ?? {}
    const all = this.#words(whole)
    const candidates = `
      (select t.id, 1 as whole from ${this.#having(all)} where numnode(${all}) > 0 and ${this.#selected} limit ${MAX_CANDIDATES})
      union all
      (select one.id, 0 from asked cross join lateral (select t.id from ${this.#having('asked.word')} where ${this.#selected} limit ${MAX_CANDIDATES_OF_WORD}) one)`
    const scored = `select t.id, max(whole) + max(${RANK_OF_ANY})::float8 as score from candidates join db.things t on t.ns = ${this.#ns} and t.id = candidates.id
      ${unwanted === '' ? '' : `where not t.words @@ ${this.#words(unwanted)}`} group by t.id`
    return [this.#asked(), `candidates as materialized (${candidates})`, `text as (${ranked(scored)} limit ${MAX_OF_HALF})`]
  }

  /** `t` must be the only way to a row: conditions on the embeddings themselves would let the planner sort all of them instead of asking the index. */
  nearest(count: number): string[] {
    const { near, question } = this.#search
    if (!near) throw new TypeError('A search by nearness needs an embedding')
    const model = this.#parameters.add(near.model)
    const distance = `e.embedding <=> ${this.#parameters.add(`[${near.embedding.join(',')}]`)}::vector`
    const selected = this.#selected + (question?.unwanted ? ` and not t.words @@ ${this.#words(question.unwanted)}` : '')
    const compared = `select e.id, ${distance} as distance from few join db.embeddings e on e.ns = ${this.#ns} and e.id = few.id
      where (select count(*) from few) <= ${MAX_COMPARED} and e.model = ${model} and e.embedding is not null order by distance, e.id limit ${count}`
    const walked = `select e.id, ${distance} as distance from db.embeddings e
      cross join lateral (select from (select * from db.things t where t.ns = e.ns and t.id = e.id offset 0) t where e.model = ${model} and ${selected} offset 0) meant
      where (select count(*) from few) > ${MAX_COMPARED} order by ${distance} limit ${count}`
    return [
      `few as materialized (select t.id from db.things t where ${selected} limit ${MAX_COMPARED + 1})`,
      `vector as (select id, 1 - distance as score, row_number() over (order by distance, id)::integer as rank from ((${compared}) union all (${walked})) near)`,
    ]
  }

  /** The words that are wanted, each as a query of its own. */
  #asked(): string {
    const words = `unnest(tsvector_to_array(to_tsvector('english', ${this.#parameters.add(this.#search.question?.wanted ?? '')})))`
    return `asked as materialized (
      select ('''' || replace(replace(word, '\\', '\\\\'), '''', '''''') || '''')::tsquery as word, row_number() over () as place from ${words} word)`
  }

  #words(text: string): string {
    return `websearch_to_tsquery('english', ${this.#parameters.add(text)})`
  }

  /** Things here that have these words, by the index of words: within the parentheses the planner knows of no other, and `offset 0` keeps all else out of them. */
  #having(words: string): string {
    return `(select * from db.things t where t.words @@ (${this.#place()} && ${words}) and t.deleted_at is null offset 0) t`
  }

  /** Namespace and type as the words of a thing have them: see migrations/0003_search.sql. */
  #place(): string {
    const { ns, type } = this.#search.selection
    const places = [`ns/${ns}`, ...(type === undefined ? [] : [`type/${type}`])]
    return `${this.#parameters.add(places.map((place) => `'${place.replaceAll(/['\\]/g, '$&$&')}'`).join(' & '))}::tsquery`
  }
}

function ranked(scored: string): string {
  return `select id, score, row_number() over (order by score desc, id)::integer as rank from (${scored}) scored order by rank`
}

import type { Statement } from './database.ts'

/** What an embedding is to be made of: a version of a thing, as text. */
export interface Meaning {
  ns: string
  id: string
  version: number
  text: string
}

/** An embedding that was made of a version of a thing; null when there is nothing to make one of. */
export interface MadeEmbedding {
  ns: string
  id: string
  version: number
  embedding: readonly number[] | null
}

/** Whether there is pgvector and what `db.add_vectors` makes; see migrations/0003_search.sql. */
export const hasEmbeddingsTable: Statement = { sql: `select to_regclass('db.embeddings') is not null`, params: [] }

const IS_MISSING = `t.deleted_at is null
  and not exists (select from db.embeddings e where e.ns = t.ns and e.id = t.id and e.model = $1 and e.version >= t.version)`

/** Things anywhere without an embedding of this model and of their version: namespace, id, version, text, and how many there are in all. */
export function findMissing(limit: number, model: string): Statement {
  return {
    sql: `with missing as materialized (select t.ns, t.id from db.things t where ${IS_MISSING}), part as (select ns, id from missing limit $2::integer)
      select t.ns, t.id, t.version, db.meaning_of(t), (select count(*)::integer from missing) from part join db.things t using (ns, id)`,
    params: [model, limit],
  }
}

/** The same among some things. */
export function findMissingOf(things: readonly { ns: string; id: string }[], model: string): Statement {
  return {
    sql: `select t.ns, t.id, t.version, db.meaning_of(t) from db.things t join (select distinct ns, id from ${NAMED}) named using (ns, id) where ${IS_MISSING}`,
    params: [model, namesOf(things)],
  }
}

/** What one thing means now, whether or not there is an embedding of it. */
export function findMeaning(ns: string, id: string): Statement {
  return {
    sql: `select t.ns, t.id, t.version, db.meaning_of(t) from db.things t where t.ns = $1 and t.id = $2 and t.deleted_at is null`,
    params: [ns, id],
  }
}

/**
 * Keeps embeddings, unless the thing is of another version by now, or a newer one is there already. Rows are locked in the order of their keys, so that two who
 * keep the same wait for each other.
 */
export function keepEmbeddings(made: readonly MadeEmbedding[], model: string): Statement {
  const rows = made.map(({ embedding, ...of }) => ({ ...of, embedding: embedding && `[${embedding.join(',')}]` }))
  return {
    sql: `insert into db.embeddings as e (ns, id, model, version, embedding)
      select made.ns, made.id, $1, made.version, made.embedding::vector
        from jsonb_to_recordset($2::jsonb) made(ns text, id text, version integer, embedding text)
        join db.things t on t.ns = made.ns and t.id = made.id and t.version = made.version and t.deleted_at is null
        order by made.ns, made.id
      on conflict (ns, id) do update set model = excluded.model, version = excluded.version, embedding = excluded.embedding, made_at = now()
        where e.version <= excluded.version`,
    params: [model, JSON.stringify(rows)],
  }
}

/** Removes embeddings of deleted things: of these, or of all. */
export function removeStale(things?: readonly { ns: string; id: string }[]): Statement {
  const deleted = `delete from db.embeddings e using db.things t where t.ns = e.ns and t.id = e.id and t.deleted_at is not null`
  if (!things) return { sql: deleted, params: [] }
  return { sql: `${deleted} and (e.ns, e.id) in (select ns, id from ${NAMED.replace('$2', '$1')})`, params: [namesOf(things)] }
}

const NAMED = `jsonb_to_recordset($2::jsonb) named(ns text, id text)`

function namesOf(things: readonly { ns: string; id: string }[]): string {
  return JSON.stringify(things.map(({ ns, id }) => ({ ns, id })))
}

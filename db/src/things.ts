import type { Statement } from './database.ts'

/** A change to one thing as `db.apply` takes it; see migrations/0001_things.sql. */
export interface ThingCommand {
  operation: 'upsert' | 'update' | 'delete'
  ns: string
  id: string
  type?: string | undefined
  content?: string | undefined
  data?: Record<string, unknown> | undefined
  visibility?: string | undefined
  ifVersion?: number | undefined
  /** Where its input stands in the caller's: empty, or `commands.3.input.`. */
  path: string
}

/** The ledger row of a keyed call, and how the answer is made of the array of things in SQL. */
export interface LedgerRow {
  principal: string
  operation: string
  key: string
  inputHash: string
}

/** How the array that `db.apply` gives becomes an operation's answer. */
const ANSWERS = { one: `answer -> 0`, all: `jsonb_build_object('results', answer)` }

/** All commands in order as one statement that gives the answer; with a ledger row, remembered in the same breath. */
export function applyCommands(
  commands: ThingCommand[],
  { actor, at, answer, ledger }: { actor: string; at: string; answer: keyof typeof ANSWERS; ledger?: LedgerRow | undefined },
): Statement {
  const done = `with done as materialized (select db.apply($1::jsonb, $2, $3::timestamptz) as answer)`
  const params: unknown[] = [JSON.stringify(commands), actor, at]
  if (!ledger) return { sql: `${done} select ${ANSWERS[answer]} from done`, params }
  return {
    // Counting what expired makes the insert wait for it; unordered, a key that expired would be in its own way.
    sql: `${done},
      expired as (delete from db.ledger where created_at <= now() - interval '24 hours' returning key),
      forgotten as (select count(*) from expired),
      kept as (insert into db.ledger (principal, operation, key, input_hash, answer) select $4, $5, $6, $7, ${ANSWERS[answer]} from done, forgotten)
      select ${ANSWERS[answer]} from done`,
    params: [...params, ledger.principal, ledger.operation, ledger.key, ledger.inputHash],
  }
}

/** What a keyed call was answered within the last 24 hours. */
export function findRemembered({ principal, operation, key }: LedgerRow): Statement {
  return {
    sql: `select input_hash, answer from db.ledger where principal = $1 and operation = $2 and key = $3 and created_at > now() - interval '24 hours'`,
    params: [principal, operation, key],
  }
}

/** One thing, unless deleted. */
export function findThing(ns: string, id: string): Statement {
  return { sql: `select db.thing_json(t) from db.things t where ns = $1 and id = $2 and deleted_at is null`, params: [ns, id] }
}

/** A page of things after an id, and one more to know whether there is a next page. */
export function listThings({ ns, type, after, limit }: { ns: string; type?: string | undefined; after: string; limit: number }): Statement {
  const ofType = type === undefined ? '' : 'and type = $4'
  return {
    sql: `select db.thing_json(t) from db.things t where ns = $1 and id > $2 and deleted_at is null ${ofType} order by id limit $3::integer + 1`,
    params: [ns, after, limit, ...(type === undefined ? [] : [type])],
  }
}

/** How many things there are, of one type or of all. */
export function countThings(ns: string, type?: string): Statement {
  const ofType = type === undefined ? '' : 'and type = $2'
  return { sql: `select count(*)::integer from db.things where ns = $1 and deleted_at is null ${ofType}`, params: type === undefined ? [ns] : [ns, type] }
}

/** A page of what a thing has been before a version, newest first, and one more. A deleted thing keeps its history. */
export function listVersions({ ns, id, before, limit }: { ns: string; id: string; before: number; limit: number }): Statement {
  return {
    sql: `select db.version_json(v) from db.thing_versions v where ns = $1 and id = $2 and version < $3 order by version desc limit $4::integer + 1`,
    params: [ns, id, before, limit],
  }
}

/** Things, versions and bytes, in total and by type. */
export function summarise(ns: string): Statement {
  return {
    sql: `with live as (select type, octet_length(content) + octet_length(data::text) as size from db.things where ns = $1 and deleted_at is null),
      types as (select type, count(*)::integer as count from live group by type order by count(*) desc, type limit 100)
      select jsonb_build_object(
        'things', (select count(*) from live),
        'versions', (select count(*) from db.thing_versions where ns = $1),
        'sizeBytes', (select coalesce(sum(size), 0) from live),
        'types', (select coalesce(jsonb_agg(types), '[]') from types))`,
    params: [ns],
  }
}

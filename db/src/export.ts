import type { Connection, Statement } from './database.ts'
import { conditionsOf, Parameters } from './selection.ts'

/** Which things are exported, and the relationships between them. */
export interface ExportedThings {
  ns: string
  id?: string | undefined
  type?: string | undefined
}

/** What is exported, and as of which change: whatever was changed after it is told as it was. */
export interface Exported {
  selection: ExportedThings
  /** The last change that counts; changes have positions in the order of commit. */
  position: number
}

/** One page: its lines, and after which one the next begins; undefined at the end. */
export interface ExportPage<Place> {
  lines: unknown[]
  next: Place | undefined
}

/** What a relationship is found by. */
export type RelationshipPlace = [from: string, predicate: string, to: string]

/** A page looks at so many rows, whether they are wanted or not, and has so many bytes but for its last line: a statement and its answer have an end. */
const PAGE = { rows: 2_000, bytes: 4_194_304 }

/** The state of the thing `known` as of a position: version by version back until one that nobody made after it. As `t`, for conditionsOf. */
function asOf(position: string, known: string): string {
  return `lateral (
    select v.ns, v.id, v.type, v.content, v.data, v.visibility, v.operation, null::timestamptz as deleted_at from db.thing_versions v
    where v.ns = ${known}.ns and v.id = ${known}.id and not exists (
      select from db.changes c where c.ns = v.ns and c.id = v.id and c.version = v.version and c.kind = 'thing' and c.position > ${position})
    order by v.version desc limit 1) t`
}

/** The position of the last change of all. */
export async function lastPosition(connection: Connection): Promise<number> {
  const [result] = await connection([{ sql: 'select coalesce(max(position), 0)::text from db.changes', params: [] }])
  return Number(result?.rows[0]?.[0] ?? 0)
}

/** Things after an id, in the order of their ids. */
export function thingsAfter({ selection, position }: Exported, after: string): Statement {
  const parameters = new Parameters()
  const [ns, id, upTo] = [parameters.add(selection.ns), parameters.add(after), `${parameters.add(position)}::bigint`]
  const [rows, bytes] = [`${parameters.add(PAGE.rows)}::integer`, `${parameters.add(PAGE.bytes)}::bigint`]
  return {
    sql: `with looked_at as materialized (select ns, id from db.things where ns = ${ns} and id > ${id} order by id limit ${rows}),
      found as materialized (
        select t.*, coalesce(sum(octet_length(t.content) + octet_length(t.data::text)) over (order by t.id rows between unbounded preceding and 1 preceding), 0) as bytes_before
        from looked_at k cross join ${asOf(upTo, 'k')} where t.operation <> 'delete' and ${conditionsOf(selection, parameters)})
      select (select count(*)::integer from looked_at), (select max(id) from looked_at), (select count(*)::integer from found), f.id,
        json_build_object('$id', f.id, '$type', f.type, 'content', f.content, 'data', f.data, 'visibility', f.visibility)
      from (values (1)) always left join found f on f.bytes_before < ${bytes} order by f.id`,
    params: parameters.values,
  }
}

/** Relationships after a place, in the order of what names them, between things that are exported. */
// long: one statement, so that a page is of one moment
export function relationshipsAfter({ selection, position }: Exported, after: RelationshipPlace): Statement {
  const parameters = new Parameters()
  const [ns, upTo] = [parameters.add(selection.ns), `${parameters.add(position)}::bigint`]
  const place = `(${after.map((part) => `${parameters.add(part)}::text`).join(', ')})`
  const [rows, bytes] = [`${parameters.add(PAGE.rows)}::integer`, `${parameters.add(PAGE.bytes)}::bigint`]
  const conditions = conditionsOf(selection, parameters)
  const isThere = (end: string): string =>
    `exists (select from (select k.ns, k.${end} as id) e cross join ${asOf(upTo, 'e')} where t.operation <> 'delete' and ${conditions})`
  return {
    sql: `with looked_at as materialized (
        (select r.ns, r.from_id, r.predicate, r.to_id, r.data from db.relationships r
          where r.ns = ${ns} and (r.from_id, r.predicate, r.to_id) > ${place} and not exists (
            select from db.changes c where c.ns = r.ns and c.id = r.id and c.kind = 'relationship' and c.position > ${upTo})
          order by r.from_id, r.predicate, r.to_id limit ${rows})
        union all
        (select ${ns}, b.from_id, b.predicate, b.to_id, b.data from (
            select distinct c.id from db.changes c where c.ns = ${ns} and c.position > ${upTo} and c.kind = 'relationship') changed
          cross join lateral (
            select c.operation, (c.state ->> 'from') collate "C" as from_id, (c.state ->> 'predicate') collate "C" as predicate, (c.state ->> 'to') collate "C" as to_id,
              c.state -> 'data' as data
            from db.changes c where c.ns = ${ns} and c.id = changed.id and c.kind = 'relationship' and c.position <= ${upTo} order by c.position desc limit 1) b
          where b.operation = 'relate' and (b.from_id, b.predicate, b.to_id) > ${place} order by b.from_id, b.predicate, b.to_id limit ${rows})
        order by 2, 3, 4 limit ${rows}),
      found as materialized (
        select k.*, coalesce(sum(octet_length(k.data::text)) over (order by k.from_id, k.predicate, k.to_id rows between unbounded preceding and 1 preceding), 0) as bytes_before
        from looked_at k where ${isThere('from_id')} and ${isThere('to_id')})
      select (select count(*)::integer from looked_at),
        (select json_build_array(from_id, predicate, to_id) from looked_at order by from_id desc, predicate desc, to_id desc limit 1),
        (select count(*)::integer from found), case when f.ns is not null then json_build_array(f.from_id, f.predicate, f.to_id) end,
        json_build_object('from', f.from_id, 'predicate', f.predicate, 'to', f.to_id, 'data', f.data)
      from (values (1)) always left join found f on f.bytes_before < ${bytes} order by f.from_id, f.predicate, f.to_id`,
    params: parameters.values,
  }
}

/** Runs one of the statements above. */
export async function readPage<Place>(connection: Connection, statement: Statement): Promise<ExportPage<Place>> {
  const [result] = await connection([statement])
  const rows = (result?.rows ?? []) as [lookedAt: number, lastLookedAt: Place | null, found: number, place: Place | null, line: unknown][] // what both statements select
  const [[lookedAt, lastLookedAt, found] = [0, null, 0]] = rows
  const read = rows.filter(([, , , place]) => place !== null)
  const isComplete = read.length === found
  const last = isComplete ? lastLookedAt : read.at(-1)?.[3]
  const isLast = isComplete && lookedAt < PAGE.rows
  return { lines: read.map(([, , , , line]) => line), next: isLast ? undefined : (last ?? undefined) }
}

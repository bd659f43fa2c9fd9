import type { Statement } from './database.ts'

/** Things, versions, relationships and bytes, in total and by type. A relationship counts while both its ends are there. */
export function summarise(ns: string): Statement {
  return {
    sql: `with live as (select type, octet_length(content) + octet_length(data::text) as size from db.things where ns = $1 and deleted_at is null),
      types as (select type, count(*)::integer as count from live group by type order by count(*) desc, type limit 100)
      select jsonb_build_object(
        'things', (select count(*) from live),
        'versions', (select count(*) from db.thing_versions where ns = $1),
        'relationships', (select count(*) from db.relationships r
          join db.things f on f.ns = r.ns and f.id = r.from_id and f.deleted_at is null
          join db.things t on t.ns = r.ns and t.id = r.to_id and t.deleted_at is null where r.ns = $1),
        'sizeBytes', (select coalesce(sum(size), 0) from live),
        'types', (select coalesce(jsonb_agg(types), '[]') from types))`,
    params: [ns],
  }
}

/** A page of the types of things after a name, and one more. */
export function listTypes({ ns, after, limit }: { ns: string; after: string; limit: number }): Statement {
  return {
    sql: `select jsonb_build_object('type', type, 'count', count(*), 'updatedAt', db.iso(max(updated_at)))
      from db.things where ns = $1 and type > $2 and deleted_at is null group by type order by type limit $3::integer + 1`,
    params: [ns, after, limit],
  }
}

/** Where a page of recent things ended: when the last one changed, and its id. */
export type RecentPlace = [updatedAt: string, id: string]

/** A page of the things that changed last, newest first, and one more; of two that changed at the same moment the greater id comes first. */
export function listRecent({ ns, type, limit, before }: { ns: string; type?: string | undefined; limit: number; before?: RecentPlace | undefined }): Statement {
  const params = [ns, ...(before ?? ['infinity', '']), limit + 1]
  if (type === undefined) return { sql: 'select * from db.recent($1, $2::timestamptz, $3, $4::integer)', params }
  return {
    sql: `select db.thing_json(t) from db.things t where t.ns = $1 and t.type = $5 and (t.updated_at, t.id) < ($2::timestamptz, $3) and t.deleted_at is null
      order by t.updated_at desc, t.id desc limit $4::integer`,
    params: [...params, type],
  }
}

/** A namespace may have more types than anybody looks at; the newest days are told first. */
const MAX_ACTIVITY_ROWS = 10_000

/** Changes since a moment by day in UTC, type and operation, newest day first. Those to relationships have no type, so they are left out where one is asked for. */
export function countActivity({ ns, type, since }: { ns: string; type?: string | undefined; since: string }): Statement {
  return {
    sql: `select jsonb_build_object('day', day, 'type', type, 'operation', operation, 'count', count(*)) from (
        select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, type, operation from db.changes
        where ns = $1 and at >= $2::timestamptz and ($3::text is null or (type = $3 and kind = 'thing'))
      ) c group by day, type, operation order by day desc, type, operation limit ${MAX_ACTIVITY_ROWS}`,
    params: [ns, since, type ?? null],
  }
}

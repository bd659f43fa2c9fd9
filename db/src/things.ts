import type { Statement } from './database.ts'
import { conditionsOf, inOrder, Parameters, type Selection } from './selection.ts'
import type { When } from './thing-path.ts'

/** One thing, unless deleted. */
export function findThing(ns: string, id: string): Statement {
  return { sql: `select db.thing_json(t) from db.things t where ns = $1 and id = $2 and deleted_at is null`, params: [ns, id] }
}

/** One thing as it was: in a version, or at a moment. Null where that state is a deletion, no row where there was none yet. */
export function findThingAsOf(ns: string, id: string, when: When): Statement {
  const isThen = 'version' in when ? 'v.version = $3::integer' : 'v.at <= $3::timestamptz'
  return {
    sql: `select case when v.operation <> 'delete' then db.version_json(v) || jsonb_build_object('createdAt', db.iso(t.created_at), 'updatedAt', db.iso(v.at)) end
      from db.thing_versions v join db.things t on t.ns = v.ns and t.id = v.id
      where v.ns = $1 and v.id = $2 and ${isThen} order by v.version desc limit 1`,
    params: [ns, id, 'version' in when ? when.version : when.at],
  }
}

/** A page of things after an id, and one more to know whether there is a next page. */
export function listThings(selection: Selection, { after, limit }: { after: string; limit: number }): Statement {
  const parameters = new Parameters()
  const found = inOrder(selection, after, parameters)
  return { sql: `select db.thing_json(t) from db.things t ${found} limit ${parameters.add(limit + 1)}::integer`, params: parameters.values }
}

/** How many things there are in a selection. */
export function countThings(selection: Selection): Statement {
  const parameters = new Parameters()
  return { sql: `select count(*)::integer from db.things t where ${conditionsOf(selection, parameters)}`, params: parameters.values }
}

/** A page of what a thing has been before a version, newest first, and one more. A deleted thing keeps its history. */
export function listVersions({ ns, id, before, limit }: { ns: string; id: string; before: number; limit: number }): Statement {
  return {
    sql: `select db.version_json(v) from db.thing_versions v where ns = $1 and id = $2 and version < $3 order by version desc limit $4::integer + 1`,
    params: [ns, id, before, limit],
  }
}

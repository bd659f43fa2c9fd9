import type { Statement } from './database.ts'
import { conditionsOf, inOrder, Parameters, publicInOrder, type Selection } from './selection.ts'
import type { When } from './thing-path.ts'

/** One thing, unless deleted. */
export function findThing(ns: string, id: string): Statement {
  return { sql: `select db.thing_json(t) from db.things t where ns = $1 and id = $2 and deleted_at is null`, params: [ns, id] }
}

/** One thing as it was: in a version, or at a moment. Null where that state is a deletion, no row where there was none yet. */
export function findThingAsOf(ns: string, id: string, when: When): Statement {
  return asOf({ ns, id, when }, { isThere: "v.operation <> 'delete'", isFound: 'true' })
}

/**
 * The same of a thing that is public. Null where it was private then: what was never shown to everybody is not shown later either. No row where it is private or
 * deleted now: its owner took it back.
 */
export function findPublicThingAsOf(ns: string, id: string, when: When): Statement {
  return asOf({ ns, id, when }, { isThere: "v.operation <> 'delete' and v.visibility = 'public'", isFound: "t.visibility = 'public' and t.deleted_at is null" })
}

function asOf({ ns, id, when }: { ns: string; id: string; when: When }, { isThere, isFound }: { isThere: string; isFound: string }): Statement {
  const isThen = 'version' in when ? 'v.version = $3::integer' : 'v.at <= $3::timestamptz'
  return {
    sql: `select case when ${isThere} then db.version_json(v) || jsonb_build_object('createdAt', db.iso(t.created_at), 'updatedAt', db.iso(v.at)) end
      from db.thing_versions v join db.things t on t.ns = v.ns and t.id = v.id
      where v.ns = $1 and v.id = $2 and ${isFound} and ${isThen} order by v.version desc limit 1`,
    params: [ns, id, 'version' in when ? when.version : when.at],
  }
}

/** A page of things after an id, and one more to know whether there is a next page. */
export function listThings(selection: Selection, { after, limit }: { after: string; limit: number }): Statement {
  const parameters = new Parameters()
  const found = inOrder(selection, after, parameters)
  return { sql: `select db.thing_json(t) from db.things t ${found} limit ${parameters.add(limit + 1)}::integer`, params: parameters.values }
}

/** A page of public things after an id, and one more. */
export function listPublicThings(selection: Selection, { after, limit }: { after: string; limit: number }): Statement {
  const parameters = new Parameters()
  const found = publicInOrder(selection, after, parameters)
  return { sql: `select db.thing_json(t) from db.things t ${found} limit ${parameters.add(limit + 1)}::integer`, params: parameters.values }
}

/** One thing that is public, as it is. */
export function findPublicThing(ns: string, id: string): Statement {
  return { sql: `${findThing(ns, id).sql} and visibility = 'public'`, params: [ns, id] }
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

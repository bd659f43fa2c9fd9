import { encodeCursor } from '@dot-do/worker-utils'
import type { Connection, Statement } from './database.ts'

/** Which changes are told: those of one namespace, of things of some types alone when these are given. */
export interface Selection {
  ns: string
  types?: string[] | undefined
}

/** One change as it goes out: its Change as JSON on one line. */
export interface ToldChange {
  cursor: string
  kind: string
  json: string
}

/** Changes after a position, in the order of commit. */
export interface ChangePage {
  changes: ToldChange[]
  /** Everything up to this position is told or was not asked for. */
  through: number
  /** Whether nothing came later when this was read. */
  isLast: boolean
}

/** A page has so many changes at most, and so many bytes of state but for its last change: an answer of the database has an end. */
const PAGE = { changes: 100, bytes: 4_194_304 }

/** Where few changes are of the types asked for, so many are looked at for one page. */
const LOOKED_AT = 5_000

/** Reads a page of changes. What was removed for good meanwhile is left out. */
export async function readChanges(connection: Connection, selection: Selection, after: number): Promise<ChangePage> {
  const most = selection.types ? LOOKED_AT : PAGE.changes
  const [answer] = await connection([changesAfter(selection, after, most)])
  const rows = (answer?.rows ?? []) as ChangeRow[] // what the statement selects
  const [[lookedAt, lastLookedAt, found] = [0, null, 0]] = rows
  const read = rows.filter((row): row is FoundRow => row[3] !== null)
  const isComplete = read.length === found
  const isPageFull = found === PAGE.changes
  const lastRead = Number(read.at(-1)?.[3] ?? after)
  return {
    changes: read.flatMap(([, , , position, kind, state]) => (state === null ? [] : [toldChange(Number(position), kind, state)])),
    through: isComplete && !isPageFull ? Number(lastLookedAt ?? after) : lastRead,
    isLast: isComplete && !isPageFull && lookedAt < most,
  }
}

/** How many changes were looked at and the position of the last of them, how many of them are in the page; then, null where there is none, one of these. */
type ChangeRow = [lookedAt: number, lastLookedAt: string | null, found: number, position: string | null, kind: string | null, state: string | null]
type FoundRow = [lookedAt: number, lastLookedAt: string, found: number, position: string, kind: string, state: string | null]

/** PostgreSQL's text of an object, `{"ns": …}`, is what goes out, but for the cursor in front: thousands of states need not be parsed and written again. */
function toldChange(position: number, kind: string, state: string): ToldChange {
  const cursor = encodeCursor(position)
  return { cursor, kind, json: `{"cursor":"${cursor}",${state.slice(1)}` }
}

// long: one statement, so that a page is of one moment
function changesAfter({ ns, types }: Selection, after: number, most: number): Statement {
  const ofTypes = types ? `where kind = 'thing' and type = any ($6::text[])` : ''
  return {
    sql: `with looked_at as materialized (select * from db.changes where ns = $1 and position > $2::bigint order by position limit $3::integer),
      page as materialized (select * from looked_at ${ofTypes} order by position limit $4::integer),
      stated as (
        select p.position, p.kind, p.ns, p.operation, p.actor, p.at, p.state, v, t.created_at,
          coalesce(sum(coalesce(octet_length(v.content) + octet_length(v.data::text), octet_length(p.state::text)))
            over (order by p.position rows between unbounded preceding and 1 preceding), 0) as bytes_before
        from page p
          left join db.thing_versions v on p.kind = 'thing' and v.ns = p.ns and v.id = p.id and v.version = p.version
          left join db.things t on p.kind = 'thing' and t.ns = p.ns and t.id = p.id)
      select (select count(*)::integer from looked_at), (select max(position)::text from looked_at), (select count(*)::integer from page), s.position::text, s.kind,
        (jsonb_build_object('kind', s.kind, 'ns', s.ns, 'operation', s.operation, 'actor', s.actor, 'at', db.iso(s.at)) || case
          when s.kind = 'relationship' then jsonb_build_object('relationship', s.state)
          when s.created_at is not null and (s.v).id is not null then jsonb_build_object('thing', jsonb_build_object(
            'ns', (s.v).ns, '$id', (s.v).id, '$type', (s.v).type, 'content', (s.v).content, 'data', (s.v).data, 'visibility', (s.v).visibility,
            'version', (s.v).version, 'createdAt', db.iso(s.created_at), 'updatedAt', db.iso(s.at)))
          end)::text
      from (values (1)) always left join stated s on s.bytes_before < $5::bigint order by s.position`,
    params: [ns, after, most, PAGE.changes, PAGE.bytes, ...(types ? [types] : [])],
  }
}

/** Where the changes of a namespace end at present, and the last position that any change was given. */
export async function readEnd(connection: Connection, ns: string): Promise<{ end: number; lastGiven: number }> {
  const [answer] = await connection([
    {
      sql: `select coalesce(max(position), 0)::text, coalesce(pg_sequence_last_value(pg_get_serial_sequence('db.changes', 'position')), 0)::text
        from db.changes where ns = $1`,
      params: [ns],
    },
  ])
  const [end, lastGiven] = answer?.rows[0] ?? []
  return { end: Number(end), lastGiven: Number(lastGiven) }
}

/** The last positions of namespaces: of all that changed after a position, where one is given, and of those named; and the last of all. */
export interface LatestPositions {
  last: number
  byNamespace: Map<string, number>
}

/** Reads in one statement, whose cost depends on what changed and who is new and not on how many wait. */
export async function readLatest(connection: Connection, after: number | undefined, namespaces: string[]): Promise<LatestPositions> {
  const [answer] = await connection([
    {
      sql: `select null, coalesce(max(position), 0)::text from db.changes
        union all select ns, max(position)::text from db.changes where position > $1::bigint group by ns
        union all select asked.ns, (select coalesce(max(position), 0)::text from db.changes c where c.ns = asked.ns) from unnest($2::text[]) asked (ns)`,
      params: [after ?? Number.MAX_SAFE_INTEGER, namespaces],
    },
  ])
  const rows = (answer?.rows ?? []) as [string | null, string][] // what the statement selects
  const byNamespace = new Map(rows.flatMap(([ns, position]) => (ns === null ? [] : [[ns, Number(position)] as const])))
  return { last: Math.max(0, ...rows.filter(([ns]) => ns === null).map(([, position]) => Number(position))), byNamespace }
}

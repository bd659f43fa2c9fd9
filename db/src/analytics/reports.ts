import type { Parameters } from './clickhouse.ts'
import type { Divided, Stretch } from './stretches.ts'

/** Which events a report is about; from including, to excluding, ISO 8601. */
export interface Extent {
  ns: string
  from: string
  to: string
  service?: string | undefined
  interval: 'minute' | 'hour' | 'day'
  limit: number
}

/** A report's statement. */
export interface ReportQuery {
  sql: string
  parameters: Parameters
}

/** An answer of 400 or above is a failure, whoever's fault it was. */
const FAILED = 'status >= 400'

/** What the platform tracks itself: requests from outside, and calls of operations, which a request leads to one or more of. */
const TRACKED = "type in ('request', 'call')"

/** A column of texts stands as `name as name`, or a group would be called by the column's place. What is counted has a weight: a sum of events weighs as much as they do. */
const REPORTS = {
  requests: {
    columns: `service, operation, sum(weight) as requests, sumIf(weight, ${FAILED}) as errors`,
    where: "type = 'request'",
    group: 'service, operation',
    order: 'requests desc, service, operation',
  },
  errors: {
    columns: 'type, service, operation, status, sum(weight) as errors, uniq(principal) as principals, toString(max(latest)) as last',
    where: `${TRACKED} and ${FAILED}`,
    group: 'type, service, operation, status',
    order: 'errors desc, type, service, operation, status',
  },
  latency: {
    columns: `type, service, operation, count() as count, ${[50, 90, 95, 99].map((percent) => `round(quantile(${percent / 100})(duration_ms), 3) as p${percent}`).join(', ')}`,
    where: `${TRACKED} and duration_ms is not null`,
    group: 'type, service, operation',
    order: 'count desc, type, service, operation',
  },
  activity: {
    columns: 'toString(toStartOfInterval(earliest, toIntervalSecond({seconds:UInt32}))) as time, type, sum(weight) as count',
    where: '1',
    group: 'time, type',
    order: 'time desc, type',
  },
  types: {
    columns: 'type, sum(weight) as count, toString(min(earliest)) as first, toString(max(latest)) as last',
    where: '1',
    group: 'type',
    order: 'count desc, type',
  },
  keys: {
    columns: `principal, sum(weight) as requests, sumIf(weight, ${FAILED}) as errors, toString(max(latest)) as last`,
    where: "type = 'request'",
    group: 'principal',
    order: 'requests desc, principal',
  },
} as const

const SECONDS = { minute: 60, hour: 3_600, day: 86_400 }

/** The names of the reports. */
export type ReportName = keyof typeof REPORTS

/** Whether hours that were summed up tell what a report asks: not how long calls took, nor what happened in which minute. */
export function readsHours(name: ReportName, { interval }: Pick<Extent, 'interval'>): boolean {
  return name !== 'latency' && !(name === 'activity' && interval === 'minute')
}

/** A report as one statement, into which no value is written. Where its time is divided, what is summed up is read from the sums. */
export function reportQuery(name: ReportName, { ns, from, to, service, interval, limit }: Extent, divided?: Divided): ReportQuery {
  const { columns, where, group, order } = REPORTS[name]
  const ofService = service === undefined ? '' : ' and service = {service:String}'
  const open = stretchesQuery('at', divided?.open ?? [[Date.parse(from), Date.parse(to)]], 'open')
  const summed = divided && stretchesQuery('hour', divided.summed, 'summed')
  const sources = [...(open ? [`${EVENTS} and ${open.sql}`] : []), ...(summed ? [`${HOURS} and ${summed.sql}`] : [])]
  return {
    sql: `select ${columns} from (${sources.join(' union all ')}) where ${where}${ofService} group by ${group} order by ${order} limit {limit:UInt32}`,
    parameters: {
      ns,
      limit,
      ...open?.parameters,
      ...summed?.parameters,
      ...(service !== undefined && { service }),
      ...(name === 'activity' && { seconds: SECONDS[interval] }),
    },
  }
}

const SHARED = 'type, service, operation, principal, status'
const EVENTS = `select ${SHARED}, duration_ms, at as earliest, at as latest, toUInt64(1) as weight from events where ns = {ns:String}`
const HOURS = `select ${SHARED}, null as duration_ms, first as earliest, last as latest, events as weight from event_hours final where ns = {ns:String}`

/** A condition on a column of times; undefined where there is nothing to read. */
function stretchesQuery(column: string, stretches: readonly Stretch[], prefix: string): ReportQuery | undefined {
  if (stretches.length === 0) return undefined
  const type = "DateTime64(3, 'UTC')"
  const terms = stretches.map((_, index) => `(${column} >= {${prefix}${index}:${type}} and ${column} < {${prefix}${index}end:${type}})`)
  const parameters = stretches.flatMap(([from, to], index) => [
    [`${prefix}${index}`, clickHouseTime(new Date(from).toISOString())],
    [`${prefix}${index}end`, clickHouseTime(new Date(to).toISOString())],
  ])
  return { sql: `(${terms.join(' or ')})`, parameters: Object.fromEntries(parameters) as Parameters } // pairs of names and texts
}

/** Columns that are times, which ClickHouse writes without saying that they are UTC. */
const TIMES = new Set(['time', 'first', 'last'])

/** A row with its times as everywhere else. */
export function reportRow(row: Record<string, string | number>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, TIMES.has(name) ? new Date(`${String(value).replace(' ', 'T')}Z`).toISOString() : value]),
  )
}

/** A time of ISO 8601 in UTC, as ClickHouse reads it without being told how. */
export function clickHouseTime(iso: string): string {
  return new Date(iso).toISOString().slice(0, 23).replace('T', ' ')
}

/** Who was refused with 429 by the front door so often, in every namespace. A call that was refused further in is not the asker's doing. */
export const REFUSALS = `select principal, count() as refused from events
  where type = 'request' and status = 429 and at >= {from:DateTime64(3, 'UTC')} and at < {to:DateTime64(3, 'UTC')}
  group by principal having refused >= {refusals:UInt32} order by refused desc, principal limit {limit:UInt32}`

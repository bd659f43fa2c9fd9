import type { Parameters } from './clickhouse.ts'

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

/** A column of texts stands as `name as name`, or a group would be called by the column's place. */
const REPORTS = {
  requests: {
    columns: `service, operation, count() as requests, countIf(${FAILED}) as errors`,
    where: "type = 'request'",
    group: 'service, operation',
    order: 'requests desc, service, operation',
  },
  errors: {
    columns: 'type, service, operation, status, count() as errors, uniq(principal) as principals, toString(max(at)) as last',
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
    columns: 'toString(toStartOfInterval(at, toIntervalSecond({seconds:UInt32}))) as time, type, count() as count',
    where: '1',
    group: 'time, type',
    order: 'time desc, type',
  },
  types: {
    columns: 'type, count() as count, toString(min(at)) as first, toString(max(at)) as last',
    where: '1',
    group: 'type',
    order: 'count desc, type',
  },
  keys: {
    columns: `principal, count() as requests, countIf(${FAILED}) as errors, toString(max(at)) as last`,
    where: "type = 'request'",
    group: 'principal',
    order: 'requests desc, principal',
  },
} as const

const SECONDS = { minute: 60, hour: 3_600, day: 86_400 }

/** The names of the reports. */
export type ReportName = keyof typeof REPORTS

/** A report as one statement, into which no value is written. */
export function reportQuery(name: ReportName, { ns, from, to, service, interval, limit }: Extent): ReportQuery {
  const { columns, where, group, order } = REPORTS[name]
  const ofService = service === undefined ? '' : ' and service = {service:String}'
  const ofTime = "at >= {from:DateTime64(3, 'UTC')} and at < {to:DateTime64(3, 'UTC')}"
  return {
    sql: `select ${columns} from events where ns = {ns:String} and ${where} and ${ofTime}${ofService} group by ${group} order by ${order} limit {limit:UInt32}`,
    parameters: {
      ns,
      from: clickHouseTime(from),
      to: clickHouseTime(to),
      limit,
      ...(service !== undefined && { service }),
      ...(name === 'activity' && { seconds: SECONDS[interval] }),
    },
  }
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

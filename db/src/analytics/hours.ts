import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'
import { insertLines, selectRows } from './clickhouse.ts'
import { clickHouseTime } from './reports.ts'
import { divide, HOUR_MS, type Divided, type Stretch } from './stretches.ts'

/** So many groups are carried at a time. */
const PAGE_GROUPS = 20_000

/** An hour has no more groups than this many pages; what has more was no hour of ours. */
const MAX_PAGES = 1_000

const OF_TIME = "at >= {from:DateTime64(3, 'UTC')} and at < {to:DateTime64(3, 'UTC')}"

/** Since 1970, as times and hours of both tables count: a function of ClickHouse would wrap for the years that it has no hours for. */
const EVENTS = `select intDiv(toUnixTimestamp64Milli(at), ${HOUR_MS}) as number, count() as events from events where ${OF_TIME} group by number`

const SUMMED = `select intDiv(toUnixTimestamp(hour), ${HOUR_MS / 1000}) as number, events from summed_hours final
  where hour >= {from:DateTime64(3, 'UTC')} and hour < {to:DateTime64(3, 'UTC')}`

const GROUP = 'ns, type, service, operation, principal, status'

const GROUPS = `select ${GROUP.split(', ')
  .map((column) => `${column} as ${column}`)
  .join(', ')}, count() as events, toString(min(at)) as first, toString(max(at)) as last
  from events where ${OF_TIME} group by ${GROUP} order by ${GROUP} limit {count:UInt32} offset {offset:UInt32}`

/** Whoever asks for so much reads sums where there are some. */
const LONG_MS = 48 * HOUR_MS

/** A time that is in more pieces than this is read from its events, or its statement would get too long. */
const MAX_STRETCHES = 100

/** How a report over a time is to read it; undefined where it is to read nothing but events. */
export async function dividedByHours([from, to]: Stretch, env: Env): Promise<Divided | undefined> {
  if (to - from <= LONG_MS) return undefined
  const extent = { from: timeOf(Math.floor(from / HOUR_MS)), to: timeOf(Math.ceil(to / HOUR_MS)) }
  const hours = await selectRows(`${SUMMED} order by number`, extent, env)
  const divided = divide(
    [from, to],
    hours.map(({ number }) => Number(number)),
  )
  return divided.summed.length > 0 && divided.summed.length <= MAX_STRETCHES ? divided : undefined
}

/** Sums up those of the last whole hours before a time that were not yet, or that more events came to since. */
export async function sumUpHours(count: number, now: number, env: Env): Promise<{ hours: number; rows: number }> {
  const end = Math.floor(now / HOUR_MS)
  const extent = { from: timeOf(end - count), to: timeOf(end) }
  const [found, summed] = await Promise.all([selectRows(EVENTS, extent, env), selectRows(SUMMED, extent, env)])
  const [events, known] = [found, summed].map((rows) => new Map(rows.map((row) => [Number(row['number']), Number(row['events'])])))
  const changed = Array.from({ length: count }, (_, index) => end - count + index).filter((hour) => known?.get(hour) !== (events?.get(hour) ?? 0))
  const empty = changed.filter((hour) => !events?.has(hour))
  if (empty.length > 0)
    await write(
      'summed_hours',
      empty.map((hour) => ({ hour: hourOf(hour), events: 0, summed_at: clickHouseTime(new Date(now).toISOString()) })),
      env,
    )
  let rows = 0
  // One after another: each is read, carried and written, and none is in a hurry.
  for (const hour of changed) if (events?.has(hour)) rows += await sumUp(hour, now, env)
  return { hours: changed.length, rows }
}

/** What is written first is known last: an hour that is interrupted is still read from its events. */
async function sumUp(number: number, now: number, env: Env): Promise<number> {
  const summed_at = clickHouseTime(new Date(now).toISOString())
  const hour = hourOf(number)
  const extent = { from: timeOf(number), to: timeOf(number + 1), count: PAGE_GROUPS }
  let [rows, events] = [0, 0]
  for (let page = 0; ; page++) {
    if (page === MAX_PAGES) throw new ServiceError('UNAVAILABLE', `There are too many different events in the hour of ${hour}`)
    const groups = await selectRows(GROUPS, { ...extent, offset: page * PAGE_GROUPS }, env)
    if (groups.length > 0)
      await write(
        'event_hours',
        groups.map((group) => ({ hour, ...group, summed_at })),
        env,
      )
    rows += groups.length
    events += groups.reduce((total, group) => total + Number(group['events']), 0)
    if (groups.length < PAGE_GROUPS) break
  }
  await write('summed_hours', [{ hour, events, summed_at }], env)
  return rows
}

const encoder = new TextEncoder()

/** Each write has a token of its own: written twice, the newer row would only take the place of its like. */
async function write(table: string, rows: object[], env: Env): Promise<void> {
  const lines = rows.map((row) => encoder.encode(`${JSON.stringify(row)}\n`))
  await insertLines(table, { lines, token: crypto.randomUUID() }, env)
}

const timeOf = (number: number): string => clickHouseTime(new Date(number * HOUR_MS).toISOString())

/** As a DateTime is written. */
const hourOf = (number: number): string => timeOf(number).slice(0, 19)

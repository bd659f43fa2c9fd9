import { applyAnalyticsSchema } from '@dot-do/worker-data/analytics-schema'
import { join } from 'node:path'
import { counted, runCommand, UsageError } from './db/command.ts'
import { openOwned, shownUrl } from './db/database.ts'
import { ROOT } from './root.ts'

const USAGE = `pnpm db:migrate: bring a database to what every service's migrations say

  --json    print what was applied as JSON
  --help    this text

  DATABASE_URL    the database, as its owner: postgres://user:password@host/name
  DB_ROLE_SECRET  what the passwords of the services' roles are derived from; the same that db has
  CLICKHOUSE_URL  where set, the ClickHouse that gets the tables of events; with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD

Several at once are safe. \`pnpm dev\` migrates its own database by itself.
`

await runCommand({ usage: USAGE, options: {}, arguments: [0, 0] }, async ({ say, answer }) => {
  const { databaseUrl, roleSecret } = demandVariables()
  const database = await openOwned({ databaseUrl, roleSecret, stateDir: undefined }, 'existing')
  const { applied } = await database.migrate()
  for (const { service, name } of applied) say(`applied ${service}/migrations/${name}`)
  say(applied.length === 0 ? `nothing to do in ${database.name}` : `${counted(applied.length, 'migration')} applied to ${database.name}`)
  const tables = await applyAnalytics()
  for (const name of tables) say(`applied db/analytics/${name}`)
  answer({ database: database.name, applied, analytics: tables })
})

/** Makes the tables of events in ClickHouse, where one is named; each statement may run again. */
async function applyAnalytics(): Promise<string[]> {
  const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user = 'default', CLICKHOUSE_PASSWORD: password = '' } = process.env
  return url ? applyAnalyticsSchema({ url, user, password }, join(ROOT, 'db/analytics')) : []
}

/** What it needs of its environment; all that is missing is told at once. */
function demandVariables(): { databaseUrl: string; roleSecret: string } {
  const { DATABASE_URL: databaseUrl, DB_ROLE_SECRET: roleSecret } = process.env
  const missing = Object.entries({ DATABASE_URL: databaseUrl, DB_ROLE_SECRET: roleSecret }).flatMap(([name, value]) => (value ? [] : [name]))
  if (!databaseUrl || !roleSecret) throw new UsageError(`${missing.join(' and ')} must be set`)
  if (!/^postgres(ql)?:$/.test(URL.parse(databaseUrl)?.protocol ?? '')) throw new UsageError(`DATABASE_URL is no URL of a PostgreSQL: ${shownUrl(databaseUrl)}`)
  return { databaseUrl, roleSecret }
}

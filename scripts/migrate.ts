import { counted, runCommand, UsageError } from './db/command.ts'
import { openOwned, shownUrl } from './db/database.ts'

const USAGE = `pnpm db:migrate: bring a database to what every service's migrations say

  --json    print what was applied as JSON
  --help    this text

  DATABASE_URL    the database, as its owner: postgres://user:password@host/name
  DB_ROLE_SECRET  what the passwords of the services' roles are derived from; the same that db has

Several at once are safe. \`pnpm dev\` migrates its own database by itself.
`

await runCommand({ usage: USAGE, options: {}, arguments: [0, 0] }, async ({ say, answer }) => {
  const { databaseUrl, roleSecret } = demandVariables()
  const database = await openOwned({ databaseUrl, roleSecret, stateDir: undefined }, 'existing')
  const { applied } = await database.migrate()
  for (const { service, name } of applied) say(`applied ${service}/migrations/${name}`)
  say(applied.length === 0 ? `nothing to do in ${database.name}` : `${counted(applied.length, 'migration')} applied to ${database.name}`)
  answer({ database: database.name, applied })
})

/** What it needs of its environment; all that is missing is told at once. */
function demandVariables(): { databaseUrl: string; roleSecret: string } {
  const { DATABASE_URL: databaseUrl, DB_ROLE_SECRET: roleSecret } = process.env
  const missing = Object.entries({ DATABASE_URL: databaseUrl, DB_ROLE_SECRET: roleSecret }).flatMap(([name, value]) => (value ? [] : [name]))
  if (!databaseUrl || !roleSecret) throw new UsageError(`${missing.join(' and ')} must be set`)
  if (!/^postgres(ql)?:$/.test(URL.parse(databaseUrl)?.protocol ?? '')) throw new UsageError(`DATABASE_URL is no URL of a PostgreSQL: ${shownUrl(databaseUrl)}`)
  return { databaseUrl, roleSecret }
}

import { postgresEngine } from '@dot-do/worker-data/engines/postgres'
import { migrate } from '@dot-do/worker-data/migrations'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { ROOT } from './root.ts'

/** `pnpm db:migrate`: brings the database that DATABASE_URL names to what every service's migrations say, with the roles whose passwords come from DB_ROLE_SECRET. */
const { DATABASE_URL: url, DB_ROLE_SECRET: roleSecret } = process.env
if (!url || !roleSecret) {
  console.error('pnpm db:migrate needs DATABASE_URL (the owner’s, postgres://user:password@host/name) and DB_ROLE_SECRET (the same that db has)')
  process.exit(2)
}

const engine = postgresEngine({ url, passwordOf: (role) => rolePassword(roleSecret, role) })
try {
  const services = await discoverServices(ROOT)
  const { applied } = await migrate(
    engine,
    services.map(({ name, folder }) => ({ name, folder })),
    { roleSecret },
  )
  for (const { service, name } of applied) console.log(`applied ${service}/migrations/${name}`)
  console.log(applied.length === 0 ? 'nothing to do' : `${applied.length} applied`)
} finally {
  await engine.close()
}

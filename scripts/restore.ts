import { readBackupFile, verifyBackupFile } from '@dot-do/worker-data/backup-file'
import { restoreRecords, type Restored } from '@dot-do/worker-data/restore'
import { migrateAs } from './db/backup-migrations.ts'
import { counted, runCommand, textOf, type Run } from './db/command.ts'
import { openOwned, whichDatabase, type OwnedDatabase } from './db/database.ts'

const USAGE = `pnpm db:restore FILE: bring back what \`pnpm db:backup\` copied

  --replace     remove the rows that are there first; without it a database that has rows is left alone
  --state DIR   into whose embedded database (.local), made if absent; not while \`pnpm dev\` has it
  --json        print what was restored as JSON
  --help        this text

  DATABASE_URL    a PostgreSQL in place of the embedded one, as its owner
  DB_ROLE_SECRET  needed if that was not migrated yet

The file is read to its end before anything is touched, and its rows are written in one transaction: a damaged file changes nothing, nor does a backup of other migrations.
A database without rows gets the backup's migrations first if it lacks them, and then those that came later.
`

const options = { state: { type: 'string' }, replace: { type: 'boolean' } } as const

await runCommand({ usage: USAGE, options, arguments: [1, 1] }, async (run) => {
  const [file = ''] = run.positionals
  const { at, migrations, engine } = await verifyBackupFile(file)
  const database = await openOwned(whichDatabase(textOf(run, 'state')), 'new')
  try {
    const isOurs = await migrateAs({ at, migrations, engine }, database)
    // What is there after migrations that ran just now, they made, and the backup has its own.
    const replace = isOurs || run.values['replace'] === true
    const { tables, leftOut } = await restore(database, { file, replace }, run)
    const { applied } = isOurs ? await database.migrate() : { applied: [] }
    for (const { table, rows } of leftOut) run.say(`left out ${table} (${counted(rows, 'row')}): this database has not the type of one of its columns`)
    for (const { service, name } of applied) run.say(`applied ${service}/migrations/${name}, which came after the backup`)
    const rows = tables.reduce((total, { rows: count }) => total + count, 0)
    run.say(`restored ${counted(rows, 'row')} of ${at} into ${database.name}`)
    run.answer({
      file,
      at,
      database: database.name,
      rows,
      tables: Object.fromEntries(tables.map(({ table, rows: count }) => [table, count])),
      leftOut,
      applied,
    })
  } finally {
    await database.close()
  }
})

async function restore(database: OwnedDatabase, { file, replace }: { file: string; replace: boolean }, { signal, progress }: Run): Promise<Restored> {
  const session = await database.session()
  try {
    const onProgress = ({ table, rows }: { table: string; rows: number }): void => progress(`${table}: ${counted(rows, 'row')}`)
    return await restoreRecords(session, readBackupFile(file), { replace, signal, onProgress })
  } finally {
    await session.close()
  }
}

import { backupLines } from '@dot-do/worker-data/backup'
import { writeBackupFile } from '@dot-do/worker-data/backup-file'
import { counted, runCommand, shownBytes, textOf } from './db/command.ts'
import { openOwned, whichDatabase } from './db/database.ts'

const USAGE = `pnpm db:backup [FILE]: copy everything the platform keeps in its database into one file

  FILE          backup-<time>.ndjson.gz unless told; a file that is there is left alone
  --state DIR   whose embedded database (.local); not while \`pnpm dev\` has it
  --json        print what was written as JSON
  --help        this text

  DATABASE_URL  a PostgreSQL in place of the embedded one, as its owner

The copy is of one moment, while others go on writing. It holds hashes of keys, not keys, and all things: the file is for you alone (mode 600).
`

await runCommand({ usage: USAGE, options: { state: { type: 'string' } }, arguments: [0, 1] }, async (run) => {
  const at = new Date().toISOString()
  const file = run.positionals[0] ?? `backup-${at.replace(/\.\d+/, '').replaceAll(':', '-')}.ndjson.gz`
  const database = await openOwned(whichDatabase(textOf(run, 'state')), 'existing')
  try {
    const session = await database.session()
    const tables = new Map<string, number>()
    const onProgress = ({ table, rows }: { table: string; rows: number }): void => {
      tables.set(table, rows)
      run.progress(`${table}: ${counted(rows, 'row')}`)
    }
    const lines = backupLines(session, { at, onProgress, signal: run.signal })
    const { sizeBytes } = await writeBackupFile(file, lines).finally(() => session.close())
    const rows = [...tables.values()].reduce((total, count) => total + count, 0)
    run.say(`${file}: ${counted(rows, 'row')} of ${database.name}, ${shownBytes(sizeBytes)}`)
    run.answer({ file, at, database: database.name, sizeBytes, rows, tables: Object.fromEntries(tables) })
  } finally {
    await database.close()
  }
})

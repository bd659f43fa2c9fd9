import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'
import { beforeAll, describe } from 'vitest'
import { sessionOf } from '../../src/backup-session.ts'
import { embeddedEngine } from '../../src/engines/embedded.ts'
import { migrate } from '../../src/migrations.ts'
import { BACKUP_MIGRATIONS, backupSuite } from '../backup-suite.ts'
import { workspace } from '../workspace.ts'

describe('a backup of the embedded database', () => {
  let empty: Blob
  beforeAll(async () => {
    const folders = await workspace(BACKUP_MIGRATIONS)
    const engine = await embeddedEngine()
    await migrate(engine, folders.services, { roleSecret: 'the secret of the backup suite' })
    empty = await engine.dump()
    await engine.close()
    await folders.remove()
  }, 60_000)

  backupSuite(async () => {
    const session = sessionOf(await PGlite.create({ loadDataDir: empty, extensions: { vector } }))
    return { session, close: session.close }
  })
})

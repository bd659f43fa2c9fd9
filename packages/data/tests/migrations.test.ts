import { beforeAll, describe } from 'vitest'
import { embeddedEngine } from '../src/engines/embedded.ts'
import { seedDump } from '../src/engines/seed.ts'
import { migrationsSuite } from './migrations-suite.ts'

describe('migrations on the embedded engine', () => {
  let empty: Blob
  beforeAll(async () => {
    empty = await seedDump()
  }, 60_000)

  migrationsSuite(() => embeddedEngine({ from: empty }))
})

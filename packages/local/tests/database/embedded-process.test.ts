import { afterEach, beforeEach, expect, it } from 'vitest'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbeddedProcess } from '../../src/database/embedded-process.ts'
import type { EmbeddedProcess } from '../../src/database/embedded-process.ts'
import { openDatabase } from '../../src/database/open.ts'
import { connect, roleSecret, state } from './services.ts'
import type { State } from './services.ts'

const reopened = 'the database is open again'

let files: State
let lines: string[]
let database: EmbeddedProcess
let opensAgain: Promise<void>

beforeEach(async () => {
  files = await state()
  lines = []
  opensAgain = new Promise((resolve) => {
    const onLog = (line: string): void => {
      lines.push(line)
      if (line === reopened) resolve()
    }
    database = undefined as never
    starting = startEmbeddedProcess({ dir: files.dir, roleSecret, services: files.services, queryLimitMs: 1_000, onLog })
  })
  database = await starting
}, 60_000)
afterEach(async () => {
  await database.close()
  await files.remove()
})

let starting: Promise<EmbeddedProcess>

import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A service that keeps rows: its name is its schema and its role; `folder` holds `migrations/`. */
export interface MigratedService {
  name: string
  folder: string
}

/** One file of `migrations/`, such as `0001_things.sql`. */
export interface MigrationFile {
  service: string
  name: string
  sql: string
  sha256: string
}

const reserved = /^(public|platform|extensions|testing|postgres|information_schema|none|pg_.*)$/

/** Reads a service's migrations in order. Fails on a name that gives no order, on two files with one number, and on a file that ends its own transaction. */
export async function readMigrations({ name: service, folder }: MigratedService): Promise<MigrationFile[]> {
  if (!/^[a-z][a-z0-9_-]{0,40}$/.test(service)) throw new Error(`"${service}" cannot name a schema: lower case letters, digits, - and _ only`)
  if (reserved.test(service)) throw new Error(`"${service}" cannot name a schema: the database has one of its own by that name`)
  const directory = join(folder, 'migrations')
  const names = (await readdir(directory).catch(noDirectory)).filter((name) => name.endsWith('.sql')).sort()
  const numbers = new Set<string>()
  for (const name of names) {
    const number = /^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]
    if (number === undefined) throw new Error(`${service}/migrations/${name}: a migration is named NNNN_name.sql`)
    if (numbers.has(number)) throw new Error(`${service}/migrations: two files have the number ${number}`)
    numbers.add(number)
  }
  return Promise.all(names.map((name) => readMigration(service, directory, name)))
}

async function readMigration(service: string, directory: string, name: string): Promise<MigrationFile> {
  const sql = await readFile(join(directory, name), 'utf8')
  if (/^\s*(commit|rollback)(\s+(work|transaction))?\s*;/im.test(sql.replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, ''))) {
    throw new Error(`${service}/migrations/${name}: a migration runs in a transaction and may not end it`)
  }
  return { service, name, sql, sha256: createHash('sha256').update(sql).digest('hex') }
}

function noDirectory(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A user of a ClickHouse that may make tables, and where it answers; the URL's path is the database. */
export interface ClickHouseOwner {
  url: string
  user: string
  password: string
}

const timeoutMs = 30_000

/**
 * Runs a folder's `.sql` files in order, statement by statement; a statement ends with a `;` at a line's end. Each must be idempotent, since all of them run every time.
 * Answers the files' names; none when there is no folder. Fails with ClickHouse's own words, naming the file, and leaves the rest undone.
 */
export async function applyAnalyticsSchema(owner: ClickHouseOwner, folder: string): Promise<string[]> {
  const names = (await readdir(folder).catch(noFolder)).filter((name) => name.endsWith('.sql')).sort()
  for (const name of names) {
    for (const statement of statementsOf(await readFile(join(folder, name), 'utf8'))) await run(owner, statement, name)
  }
  return names
}

/** Lines that are comments go first, or a `;` at the end of one would cut a statement. */
export function statementsOf(sql: string): string[] {
  const statements = sql.replace(/^[ \t]*--.*$/gm, '').split(/;[ \t]*(?:\r?\n|$)/)
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '')
}

async function run({ url, user, password }: ClickHouseOwner, statement: string, file: string): Promise<void> {
  const address = new URL(url)
  const database = address.pathname.slice(1)
  address.pathname = '/'
  address.search = database === '' ? '' : new URLSearchParams({ database }).toString()
  const headers = { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password }
  const response = await fetch(address, { method: 'POST', headers, body: statement, signal: AbortSignal.timeout(timeoutMs) }).catch((cause: unknown) => {
    throw new Error(`ClickHouse does not answer at ${address.origin}`, { cause })
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${file}: ${text.trim().slice(0, 1_000)}`)
}

function noFolder(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}

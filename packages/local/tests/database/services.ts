import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { neon, neonConfig } from '@neondatabase/serverless'
import type { NeonQueryFunction } from '@neondatabase/serverless'
import { rolePassword } from '@dot-do/worker-data/role-password'
import type { MigratedService } from '@dot-do/worker-data/migration-files'

export const roleSecret = 'the secret of the database suite'

/** A state directory and the folder of one service, `notes`, with a table. */
export interface State {
  dir: string
  services: MigratedService[]
  remove(): Promise<void>
}

/** Makes a state in a directory of its own. */
export async function state(): Promise<State> {
  const root = await mkdtemp(join(tmpdir(), 'database-'))
  const folder = join(root, 'notes')
  await mkdir(join(folder, 'migrations'), { recursive: true })
  await writeFile(join(folder, 'migrations', '0001_pages.sql'), 'create table notes.pages (id text primary key, text text)')
  return { dir: join(root, 'database'), services: [{ name: 'notes', folder }], remove: () => rm(root, { recursive: true, force: true }) }
}

/** The real driver, pointed at a server, as one role. */
export async function connect(url: string, role: string, password?: string): Promise<NeonQueryFunction<false, false>> {
  neonConfig.fetchEndpoint = (host, port) => `http://${host}:${port}/sql`
  const { host } = new URL(url)
  return neon(`postgresql://${role}:${password ?? (await rolePassword(roleSecret, role))}@${host}/platform`, { disableWarningInBrowsers: true })
}

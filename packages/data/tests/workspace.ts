import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MigratedService } from '../src/migration-files.ts'

/** Folders of made-up services, each with the migrations it is given by file name. */
export interface Workspace {
  services: MigratedService[]
  write(service: string, files: Record<string, string>): Promise<void>
  remove(): Promise<void>
}

/** Makes a workspace in a directory of its own. */
export async function workspace(files: Record<string, Record<string, string>>): Promise<Workspace> {
  const root = await mkdtemp(join(tmpdir(), 'services-'))
  const write = async (service: string, migrations: Record<string, string>): Promise<void> => {
    const folder = join(root, service, 'migrations')
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    for (const [name, sql] of Object.entries(migrations)) await writeFile(join(folder, name), sql)
  }
  for (const [service, migrations] of Object.entries(files)) await write(service, migrations)
  return {
    services: Object.keys(files).map((name) => ({ name, folder: join(root, name) })),
    write,
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

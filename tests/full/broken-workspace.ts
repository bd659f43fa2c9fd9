import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './program.ts'

/** A copy of the workspace in which one Worker is another. */
export interface BrokenWorkspace {
  root: string
  remove(): Promise<void>
}

/** What is not a service of its own there: everything else is found from the real files, which are linked. */
const CONFIG_FILE = 'wrangler.jsonc'

/** Makes a workspace of all services as they are, but with this module in the place of one of them. */
export async function workspaceWith(service: string, source: string): Promise<BrokenWorkspace> {
  const root = await mkdtemp(join(tmpdir(), 'dot-do-broken-'))
  for (const entry of await readdir(ROOT, { withFileTypes: true })) {
    if (!entry.isDirectory() || !(await readdir(join(ROOT, entry.name))).includes(CONFIG_FILE)) continue
    await (entry.name === service ? writeService(join(root, service), service, source) : linkService(join(ROOT, entry.name), join(root, entry.name)))
  }
  return { root, remove: () => rm(root, { recursive: true, force: true }) }
}

async function linkService(from: string, to: string): Promise<void> {
  await mkdir(to)
  await cp(join(from, CONFIG_FILE), join(to, CONFIG_FILE))
  for (const name of await readdir(from)) if (name !== CONFIG_FILE) await symlink(join(from, name), join(to, name))
}

async function writeService(folder: string, name: string, source: string): Promise<void> {
  await mkdir(join(folder, 'src'), { recursive: true })
  await writeFile(join(folder, CONFIG_FILE), JSON.stringify({ name, main: 'src/index.ts', compatibility_date: '2026-11-01' }))
  await writeFile(join(folder, 'src/index.ts'), source)
}

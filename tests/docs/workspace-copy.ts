import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { changed } from './blocks.ts'

/** A copy of the workspace, to change without harm. */
export interface WorkspaceCopy {
  root: string
  write(file: { path: string; text: string }): Promise<void>
  change(file: { path: string; text: string }): Promise<void>
  /** Links what a package of the copy declares, as `pnpm install` would. */
  link(folder: string): Promise<void>
  remove(): Promise<void>
}

/** Neither history nor what a machine of one's own keeps. The installed packages are linked to, not copied. */
const LEFT_OUT = new Set(['.git', '.local', 'dist', 'coverage', 'node_modules'])

/** Copies the workspace. Links between its packages are relative, so that in the copy they lead to the copy. */
export async function copyWorkspace(from: string): Promise<WorkspaceCopy> {
  const root = await mkdtemp(join(tmpdir(), 'dot-do-docs-'))
  for (const name of await readdir(from)) {
    if (!LEFT_OUT.has(name)) await cp(join(from, name), join(root, name), { recursive: true, verbatimSymlinks: true })
  }
  await symlink(join(from, 'node_modules'), join(root, 'node_modules'))
  return {
    root,
    async write({ path, text }) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text)
    },
    async change({ path, text }) {
      const file = await readFile(join(root, path), 'utf8')
      await writeFile(join(root, path), changed(file, text))
    },
    link: (folder) => link(root, folder),
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** Workspace packages lead to their folders; others to where another service of the copy has them. */
async function link(root: string, folder: string): Promise<void> {
  const { dependencies = {} } = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> }
  for (const [name, version] of Object.entries(dependencies)) {
    const target = version === 'workspace:*' ? join(root, 'packages', name.replace('@dot-do/worker-', '')) : join(root, 'auth/node_modules', name)
    const place = join(root, folder, 'node_modules', name)
    await mkdir(dirname(place), { recursive: true })
    await symlink(relative(dirname(place), target), place)
  }
}

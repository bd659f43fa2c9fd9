import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { discoverServices, type WorkspaceService } from '@dot-do/worker-local/host/workspace'
import { deploymentOrder } from './deployment-order.ts'
import { ROOT } from './root.ts'

/** Where the workers lie that are published on deploy.do: a folder each, with a `wrangler.jsonc`. */
const PUBLISHED = 'examples'

/** Files of the root that go into every bundle or decide how it is made. */
const SHARED = new Set(['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'tsconfig.base.json'])

/** Names of the workers that there are, or of those that a change touches. */
export interface Workers {
  /** The platform's own, in the order they are deployed. */
  core: string[]
  /** Those that are published on deploy.do. */
  published: string[]
}

/** Which workers a change of files touches. Tests, pages and `packages/local`, which no bundle holds, touch none; what all share touches all of the platform's own. */
export function changedWorkers(files: readonly string[], { core, published }: Workers): Workers {
  const bundled = files.filter((file) => !/(^|\/)tests\/|\.md$/.test(file))
  const isShared = bundled.some((file) => SHARED.has(file) || /^packages\/(?!local\/)/.test(file))
  const touches = (...folders: string[]): boolean => bundled.some((file) => folders.some((folder) => file.startsWith(folder)))
  return {
    core: core.filter((name) => isShared || touches(`${name}/`, `docs/openapi/${name}.json`)),
    published: published.filter((name) => touches(`${PUBLISHED}/${name}/`)),
  }
}

/** What the workflow needs to know of a worker that it publishes. */
function row({ name, config }: WorkspaceService): object {
  return { service: name, folder: `${PUBLISHED}/${name}`, compatibilityDate: config.compatibility_date, vars: JSON.stringify(config.vars ?? {}) }
}

/** The files between two commits; undefined where git cannot tell, as behind a branch's first push. */
async function filesSince(base: string, head: string): Promise<string[] | undefined> {
  try {
    const { stdout } = await promisify(execFile)('git', ['diff', '--name-only', '-z', base, head, '--'], { cwd: ROOT, maxBuffer: 64 * 1_048_576 })
    return stdout.split('\0').filter((file) => file !== '')
  } catch {
    return undefined
  }
}

/** `node scripts/changed-workers.ts [base [head]]` prints what changed as lines for GITHUB_OUTPUT: `core`, names with commas, and `published`, a matrix as JSON. Everything, where no base is told or known. */
if (import.meta.main) {
  const [base, head = 'HEAD'] = process.argv.slice(2)
  const services = await discoverServices(ROOT)
  const examples = existsSync(join(ROOT, PUBLISHED)) ? await discoverServices(join(ROOT, PUBLISHED)) : []
  const all = { core: deploymentOrder(services), published: examples.map(({ name }) => name) }
  const files = base ? await filesSince(base, head) : undefined
  const { core, published } = files ? changedWorkers(files, all) : all
  console.log(`core=${core.join(',')}`)
  console.log(`published=${JSON.stringify(examples.filter(({ name }) => published.includes(name)).map(row))}`)
}

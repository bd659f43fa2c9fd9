import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { serveCloudflareApi } from '@dot-do/worker-local/cloudflare/api/serve'
import { openAccount, type Account } from '@dot-do/worker-local/cloudflare/store/account'
import { openStore, type Store } from '@dot-do/worker-local/cloudflare/store/store'
import { ROOT } from '../../root.ts'

/** The namespace that stands for the account's own Workers. */
export const OWN = 'account-workers'

const TOKEN = 'token-of-a-test'

/** A Cloudflare of one's own, and what is up on it. */
export interface Cloud {
  store: Store
  account: Account
  /** What wrangler takes from the environment to reach it. */
  env: Record<string, string>
  close(): Promise<void>
}

/** Starts an empty account on a free port. */
export async function startCloud(): Promise<Cloud> {
  const dir = await mkdtemp(join(tmpdir(), 'cloud-'))
  const [store, account] = [await openStore(join(dir, 'store')), await openAccount(join(dir, 'account'))]
  await store.createNamespace(OWN)
  const server = await serveCloudflareApi({ port: 0, store, account, accountNamespace: OWN, accountId: 'a1', apiToken: TOKEN })
  const env = { CLOUDFLARE_API_BASE_URL: server.url, CLOUDFLARE_API_TOKEN: TOKEN, CLOUDFLARE_ACCOUNT_ID: 'a1', XDG_CONFIG_HOME: join(dir, 'config') }
  return { store, account, env, close: () => server.close().finally(() => rm(dir, { recursive: true, force: true })) }
}

/** A folder of Workers with the scripts of this repository beside them, and what is installed here. */
export interface Workspace {
  root: string
  write(files: Record<string, string>): Promise<void>
  remove(): Promise<void>
}

/** Puts Workers, by path and text, beside a copy of the scripts. */
export async function workspace(files: Record<string, string>): Promise<Workspace> {
  if (!existsSync(join(ROOT, 'scripts/node_modules/.bin', 'wrangler'))) throw new Error('No wrangler is installed beside the scripts')
  const root = await mkdtemp(join(tmpdir(), 'workspace-'))
  const isScript = (path: string): boolean => !/\/(tests|checks|node_modules)(\/|$)/.test(path.slice(ROOT.length - 1))
  await cp(join(ROOT, 'scripts'), join(root, 'scripts'), { recursive: true, filter: isScript })
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  await symlink(join(ROOT, 'scripts/node_modules'), join(root, 'scripts/node_modules'))
  const write = async (written: Record<string, string>): Promise<void> => {
    for (const [file, text] of Object.entries(written)) {
      await mkdir(dirname(join(root, file)), { recursive: true })
      await writeFile(join(root, file), text)
    }
  }
  await write(files)
  return { root, write, remove: () => rm(root, { recursive: true, force: true }) }
}

/** How a script ended, and what it said. */
export interface Ran {
  code: number
  /** Both streams, as they came. */
  said: string
}

/** Runs a script as a person would, from a folder that is not the repository's, on whatever Node is first in the path. */
export function runScript(root: string, script: string, { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {}): Promise<Ran> {
  const { PATH = '', HOME = '' } = process.env
  // wrangler starts a third faster when its code is compiled already, and a test starts it many times.
  const NODE_COMPILE_CACHE = join(tmpdir(), 'wrangler-compiled')
  return new Promise((resolve) => {
    let said = ''
    const child = execFile(join(root, 'scripts', script), args, { cwd: tmpdir(), timeout: 280_000, env: { PATH, HOME, NODE_COMPILE_CACHE, ...env } }, (error) =>
      resolve({ code: error ? Number(error.code ?? -1) : 0, said }),
    )
    const hear = (chunk: string): void => void (said += chunk)
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
  })
}

import { startPlatform, type PlatformOptions } from '@dot-do/worker-local/host/platform'
import { stateDirectory } from './dev-program.ts'
import { ROOT } from './program.ts'

/** The whole platform, for one file's tests. */
export interface BootedPlatform {
  url: string
  adminKey: string
  workerUrls: Record<string, string>
  /** Where mails end. */
  mailboxUrl: string
  stop(): Promise<void>
}

/** Boots the platform on a free port and an empty state directory. */
export async function bootPlatform(options: Pick<PlatformOptions, 'extraWorkers' | 'internet' | 'variables'> = {}): Promise<BootedPlatform> {
  const state = await stateDirectory()
  const { url, admin, workerUrls, signIn, stop } = await startPlatform({ root: ROOT, stateDir: state.dir, port: 0, ...options })
  if (!admin || !signIn) throw new Error('The platform came up without an admin key or without a mailbox')
  return { url, adminKey: admin.adminKey, workerUrls, mailboxUrl: signIn.mailbox.url, stop: () => stop().finally(state.remove) }
}

/** Asks the platform as its administrator; the answer as it is. */
export async function adminFetch({ url, adminKey }: Pick<BootedPlatform, 'url' | 'adminKey'>, path: string, body?: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${adminKey}` }
  return fetch(url + path, body === undefined ? { headers } : { method: 'POST', headers, body: JSON.stringify(body) })
}

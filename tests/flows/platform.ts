import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startPlatform, type PlatformOptions } from '@dot-do/worker-local/host/platform'
import type { TestProject } from 'vitest/node'
import type { CloudflareAccess } from '@dot-do/worker-local/cloudflare/cloudflare'
import { startGitHubIssuer } from '../../auth/tests/github-issuer.ts'
import { internet } from './internet.ts'
import { probe } from './probe.ts'

/** What every flow knows of the one platform they all run against. */
export interface PlatformUnderTest {
  url: string
  port: number
  adminKey: string
  probeUrl: string
  /** The internet of published code, to tell it what its DNS shall know. */
  internetUrl: string
  /** The local Cloudflare API. */
  cloudflare: CloudflareAccess
  /** Where mails end: `/mails` has them as JSON. */
  mailboxUrl: string
  /** What issues the OIDC tokens of GitHub Actions jobs. */
  githubUrl: string
}

declare module 'vitest' {
  interface ProvidedContext {
    platform: PlatformUnderTest
  }
}

/** Boots the whole platform once, on a free port and an empty state directory, with the probe beside the services. */
export default function setup(project: TestProject): Promise<() => Promise<void>> {
  return setupPlatform(project)
}

/** The same on a database of one's own choice, or with the Workers as they are deployed. */
export async function setupPlatform(project: TestProject, options: Pick<PlatformOptions, 'databaseUrl' | 'minify'> = {}): Promise<() => Promise<void>> {
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-flows-'))
  const github = await startGitHubIssuer()
  const platform = await startPlatform({
    root: fileURLToPath(new URL('../..', import.meta.url)),
    stateDir,
    port: 0,
    extraWorkers: [probe, internet],
    internet: internet.name,
    variables: { auth: { GITHUB_OIDC_ISSUER: github.url } },
    ...options,
  })
  const probeUrl = platform.workerUrls[probe.name]
  const internetUrl = platform.workerUrls[internet.name]
  if (!platform.admin || !probeUrl || !internetUrl || !platform.cloudflare || !platform.signIn)
    throw new Error('The platform came up without an admin key or without the probe')
  project.provide('platform', {
    url: platform.url,
    port: platform.port,
    adminKey: platform.admin.adminKey,
    probeUrl,
    internetUrl,
    cloudflare: platform.cloudflare.access,
    mailboxUrl: platform.signIn.mailbox.url,
    githubUrl: github.url,
  })
  return async () => {
    await platform.stop()
    github.close()
    await rm(stateDir, { recursive: true, force: true })
  }
}

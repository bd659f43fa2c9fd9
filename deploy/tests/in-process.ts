import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { service as authService } from '../../auth/src/service.ts'
import { service as dbService } from '../../db/src/service.ts'
import { binding, startDb, type DbInProcess } from '../../db/tests/in-process.ts'
import { serveCloudflareApi } from '../../packages/local/src/cloudflare/api/serve.ts'
import { openStore, type Store } from '../../packages/local/src/cloudflare/store/store.ts'
import { callOf, type Call } from '../../packages/kernel/src/call.ts'
import type { Env } from '../src/env.ts'
import { service } from '../src/service.ts'

/** What a binding of deploy shows. */
export type BoundDeploy = ReturnType<typeof bindDeploy>

/** auth as whoever reads its log sees it. */
type BoundAuth = ReturnType<typeof bindAuth>

/** deploy over a real db, auth and Cloudflare API, all in this process. It has no dispatcher and no bucket: those are workerd's, and what needs them is a flow. */
export interface DeployInProcess {
  db: DbInProcess
  env: Env
  /** What was uploaded. */
  scripts: Store
  auth: BoundAuth
  /** deploy as a caller with these rights sees it, by way of the gateway. */
  as(id: string, permissions: string[], tenant?: string): BoundDeploy
  /** A call in deploy's own name, for what is below operations. */
  call: Call<Env>
  close(): Promise<void>
}

/** Starts deploy with the tables it shares a database with, and a namespace for each environment. */
export async function startDeploy(): Promise<DeployInProcess> {
  const db = await startDb(['auth', 'db', 'deploy'])
  const stateDir = await mkdtemp(join(tmpdir(), 'deploy-'))
  const scripts = await openStore(stateDir)
  await scripts.createNamespace('dotdo-production')
  const api = await serveCloudflareApi({ port: 0, store: scripts, accountId: 'account', apiToken: 'the-token-of-tests' })
  const authEnv = { KEY_MODE: 'test', KEY_PEPPER: 'pepper', DB_SERVICE: bindDb('auth', db) }
  const env = {
    KEY_MODE: 'test',
    HOST_SUFFIX: '.localhost:8787',
    CLOUDFLARE_API_BASE_URL: api.url,
    CLOUDFLARE_ACCOUNT_ID: 'account',
    CLOUDFLARE_API_TOKEN: 'the-token-of-tests',
    DEPLOY_SECRET_KEY: 'the secret key of tests',
    DB_SERVICE: bindDb('deploy', db),
    AUTH_SERVICE: bindAuth(authEnv, 'deploy', ['audit:write']),
  } as unknown as Env // what the tests call reaches nothing else
  return {
    db,
    env,
    scripts,
    auth: bindAuth(authEnv, 'reader', ['*']),
    as: (id, permissions, tenant) => bindDeploy(env, { id, permissions, ...(tenant === undefined ? {} : { tenant }) }),
    call: callOf({ env, props: { principal: { id: 'deploy', permissions: ['*'] } }, waitUntil: () => {} }, 'rpc'),
    async close() {
      await api.close()
      await db.close()
      await rm(stateDir, { recursive: true })
    },
  }
}

function bindDb(id: string, db: DbInProcess) {
  return binding(dbService, db.env, { principal: { id, permissions: ['db:execute'] } })
}

function bindAuth(env: object, id: string, permissions: string[]) {
  return binding(authService, env as never, { principal: { id, permissions } })
}

function bindDeploy(env: Env, principal: { id: string; permissions: string[]; tenant?: string }) {
  return binding(service, env, { principal })
}

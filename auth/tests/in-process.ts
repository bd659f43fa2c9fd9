import { service as dbService } from '../../db/src/service.ts'
import { binding, startDb, type DbInProcess } from '../../db/tests/in-process.ts'
import type { Env } from '../src/env.ts'
import { service } from '../src/service.ts'

/** What a binding of auth shows. */
export type BoundAuth = ReturnType<typeof bindAuth>

/** auth over a real db, both in this process. */
export interface AuthInProcess {
  db: DbInProcess
  env: Env
  /** auth as a Worker with these rights sees it. */
  as(id: string, permissions: string[], tenant?: string): BoundAuth
}

/** Starts auth with the tables it shares a database with. */
export async function startAuth(): Promise<AuthInProcess> {
  const db = await startDb(['auth', 'db'])
  const DB_SERVICE = binding(dbService, db.env, { principal: { id: 'auth', permissions: ['db:execute'] } })
  const env: Env = {
    ...({} as Pick<Env, 'RefreshFamilies' | 'SignInGuards'>), // Durable Objects are there on workerd only; what needs them is tried in tests/workerd
    KEY_MODE: 'test',
    KEY_PEPPER: 'the pepper of tests',
    JWT_SIGNING_KEY: 'the signing secret of tests, long enough',
    PLATFORM_URL: 'https://platform.test',
    DB_SERVICE: DB_SERVICE as unknown as Env['DB_SERVICE'], // auth calls nothing but its operations
  }
  return { db, env, as: (id, permissions, tenant) => bindAuth(env, { id, permissions, ...(tenant === undefined ? {} : { tenant }) }) }
}

function bindAuth(env: Env, principal: { id: string; permissions: string[]; tenant?: string }) {
  return binding(service, env, { principal })
}

import { service as authService } from '../../auth/src/service.ts'
import { service as dbService } from '../../db/src/service.ts'
import { binding, startDb, type DbInProcess } from '../../db/tests/in-process.ts'
import { callOf, type Call } from '../../packages/kernel/src/call.ts'
import type { Env } from '../src/env.ts'
import { service } from '../src/service.ts'

/** What a binding of schedule shows. */
export type BoundSchedule = ReturnType<typeof bindSchedule>

/** schedule over a real db and auth, all in this process. Clocks are Durable Objects, which there are on workerd only: these never ring, and tests take their steps by hand. */
export interface ScheduleInProcess {
  db: DbInProcess
  env: Env
  /** The tasks whose clocks were woken, in order. */
  woken: string[]
  /** schedule as a caller with these rights sees it. */
  as(id: string, permissions: string[], tenant?: string): BoundSchedule
  /** auth as the platform's administrators see it. */
  auth: ReturnType<typeof bindAuth>
  /** A call in schedule's own name, for what is below operations. */
  call: Call<Env>
}

/** Starts schedule with the tables it shares a database with. */
export async function startSchedule(): Promise<ScheduleInProcess> {
  const db = await startDb(['auth', 'db', 'queue', 'schedule'])
  const authEnv = { KEY_MODE: 'test', KEY_PEPPER: 'pepper', DB_SERVICE: bindDb('auth', db) }
  const woken: string[] = []
  const env = {
    KEY_MODE: 'test',
    PLATFORM_URL: 'https://platform.test',
    TaskClocks: { getByName: (id: string) => ({ wake: () => Promise.resolve(void woken.push(id)), end: () => Promise.resolve() }) },
    DB_SERVICE: bindDb('schedule', db),
    AUTH_SERVICE: bindAuth(authEnv, 'schedule', ['principals:resolve']),
  } as unknown as Env // what the tests call reaches nothing else
  return {
    db,
    env,
    woken,
    as: (id, permissions, tenant) => bindSchedule(env, { id, permissions, ...(tenant === undefined ? {} : { tenant }) }),
    auth: bindAuth(authEnv, 'admin', ['*']),
    call: callOf({ env, props: { principal: { id: 'schedule', permissions: [] } }, waitUntil: () => {} }, 'rpc'),
  }
}

function bindDb(id: string, db: DbInProcess) {
  return binding(dbService, db.env, { principal: { id, permissions: ['db:execute'] }, delegate: { permissions: ['*'] } })
}

function bindAuth(env: object, id: string, permissions: string[]) {
  return binding(authService, env as never, { principal: { id, permissions } })
}

function bindSchedule(env: Env, principal: { id: string; permissions: string[]; tenant?: string }) {
  return binding(service, env, { principal, delegate: { permissions: ['*'] } })
}

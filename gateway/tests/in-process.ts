import { service as dbService } from '../../db/src/service.ts'
import { binding, startDb, type DbInProcess } from '../../db/tests/in-process.ts'
import { service as dispatcherService } from '../../dispatcher/src/service.ts'
import type { Env } from '../src/env.ts'
import { service } from '../src/service.ts'

/** What a binding of the gateway shows. */
export type BoundGateway = ReturnType<typeof bindGateway>

/** The gateway over a real db and a real dispatcher, all in this process. It has no Durable Objects: those are workerd's. */
export interface GatewayInProcess {
  db: DbInProcess
  env: Env
  /** The gateway as a Worker with these rights sees it. */
  as(id: string, permissions: string[]): BoundGateway
}

/** Starts the gateway with the tables it shares a database with. */
export async function startGateway(): Promise<GatewayInProcess> {
  const db = await startDb(['db', 'dispatcher', 'gateway'])
  const executing = (id: string) => binding(dbService, db.env, { principal: { id, permissions: ['db:execute'] } })
  const dispatcherEnv = { HOST_SUFFIX: '.localhost:8787', DB_SERVICE: executing('dispatcher') } as unknown as Parameters<typeof binding>[1]
  const DISPATCHER_SERVICE = binding(dispatcherService, dispatcherEnv as never, { principal: { id: 'gateway', permissions: ['pointers:read'] } })
  const env = { KEY_MODE: 'test', HOST_SUFFIX: '.localhost:8787', TIMEOUT_MS: '30000', DB_SERVICE: executing('gateway'), DISPATCHER_SERVICE } as unknown as Env // what the tests call reaches nothing else
  return { db, env, as: (id, permissions) => bindGateway(env, { id, permissions }) }
}

function bindGateway(env: Env, principal: { id: string; permissions: string[] }) {
  return binding(service, env, { principal })
}

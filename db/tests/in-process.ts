import { resolve } from 'node:path'
import type { Contract, ServiceOf } from '@dot-do/worker-contracts/contract'
import type { MigratedService } from '@dot-do/worker-data/migration-files'
import { testDatabase, testRoleSecret, type TestDatabase } from '@dot-do/worker-data/testing'
import { callOf } from '@dot-do/worker-kernel/call'
import type { AnyImplemented, Implemented } from '@dot-do/worker-kernel/implement'
import { invoke } from '@dot-do/worker-kernel/invoke'
import type { BindingProps } from '@dot-do/worker-types'
import { startDatabaseServer } from '../../packages/local/src/database/server.ts'
import type { Env } from '../src/env.ts'

/** db as it runs in a Worker, in this process: the Neon driver speaks HTTP to a database in memory. */
export interface DbInProcess {
  env: Env
  database: TestDatabase
  /** The services whose tables and roles there are. */
  services: MigratedService[]
  /** Lets nothing through to the database while `run` lasts, as if its host were down. */
  duringOutage<Result>(run: () => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

/** Starts a database with the tables and roles of these services, and gives db's env. */
export async function startDb(names: string[]): Promise<DbInProcess> {
  const services = names.map((name) => ({ name, folder: resolve(import.meta.dirname, '../..', name) }))
  const database = await testDatabase(services)
  const server = await startDatabaseServer({ engine: database.engine, services, roleSecret: testRoleSecret })
  let isDown = false
  const reach = (_url: string, init: RequestInit): Promise<Response> =>
    isDown ? Promise.reject(new TypeError('connect ECONNREFUSED db.internal')) : fetch(`http://127.0.0.1:${server.port}/sql`, init)
  const env: Env = {
    ...({} as Pick<Env, 'Connections' | 'ChangeWatches' | 'EventSpools' | 'DB_BUCKET'>), // Durable Objects and R2 are there on workerd only; what needs them is tried in tests/flows
    KEY_MODE: 'test',
    DATABASE_TRANSPORT: 'http',
    // What is known of one database, an isolate keeps; each start is another one.
    DATABASE_URL: `postgres://${server.port}.database.localhost/platform`,
    DB_ROLE_SECRET: testRoleSecret,
    DATABASE: { fetch: reach } as unknown as Fetcher, // of a binding the driver uses nothing but fetch
  }
  return {
    env,
    database,
    services,
    async duringOutage(run) {
      isDown = true
      try {
        return await run()
      } finally {
        isDown = false
      }
    },
    close: server.close,
  }
}

/** A service as a binding with these props shows it: every operation as a method, called by RPC. What it defers is awaited before the call returns. */
export function binding<C extends Contract, Env>(implemented: Implemented<C, Env>, env: Env, props: BindingProps): ServiceOf<C> {
  // Calls are not tracked: the spool is a Durable Object, and what defers sending to it waits for a second.
  const { observed: _observed, ...service } = implemented as unknown as AnyImplemented<Env> // implement() checked operation against contract, name by name
  const method = (name: string) => async (input: unknown, options?: Parameters<typeof callOf>[2]) => {
    const deferred: Promise<unknown>[] = []
    const call = callOf({ env, props, waitUntil: (promise) => void deferred.push(promise) }, 'rpc', options)
    const answer = await invoke(service, { name, gather: () => input }, call)
    await Promise.all(deferred)
    return answer
  }
  const methods = Object.fromEntries(Object.keys(service.contract.operations).map((name) => [name, method(name)]))
  return methods as unknown as ServiceOf<C> // the line above made exactly the contract's operations
}

/** A value of PostgreSQL as SQL, for what only the owner may do. */
export async function owned(database: TestDatabase, sql: string): Promise<(string | null)[][]> {
  const [result] = await database.engine.batch(null, [{ sql, params: [] }])
  return result?.rows ?? []
}

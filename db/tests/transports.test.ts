import { resolve } from 'node:path'
import { guard } from '@dot-do/worker-data/engines/guard'
import { testDatabase, testRoleSecret } from '@dot-do/worker-data/testing'
import { describe } from 'vitest'
import { startDatabaseServer } from '../../packages/local/src/database/server.ts'
import { connect } from '../src/database.ts'
import { databaseError } from '../src/database-error.ts'
import type { Env } from '../src/env.ts'
import { addressOf } from '../src/transports/address.ts'
import { HeldConnection } from '../src/transports/held.ts'
import type { OpenLine } from '../src/transports/line.ts'
import { LiveTransaction } from '../src/transports/live.ts'
import { Session } from '../src/transports/session.ts'
import { nodeTcpLine, nodeWebSocketLine } from './node-lines.ts'
import { transportSuite, type Outcome, type Sql, type Step, type TransportUnderTest } from './transport-suite.ts'

type Run = (statements: Required<Sql>[], readOnly: boolean) => Promise<Awaited<ReturnType<TransportUnderTest['execute']>>>

describe.each(['http', 'websocket', 'tcp'] as const)('over %s, on the embedded engine', (transport) => {
  transportSuite(() => open(transport), { isConcurrent: false })
})

// long: one object, whose methods share the connections
async function open(transport: 'http' | 'websocket' | 'tcp'): Promise<TransportUnderTest> {
  const services = ['db', 'auth'].map((name) => ({ name, folder: resolve(import.meta.dirname, '../..', name) }))
  const { engine } = await testDatabase(services)
  const start = (ports: { port?: number; postgresPort?: number } = {}) => startDatabaseServer({ engine, services, roleSecret: testRoleSecret, ...ports })
  let server = await start()
  const { port, postgresPort } = server
  const env: Env = {
    ...({} as Omit<Env, 'DATABASE_URL'>), // of an env a connection uses these alone
    DATABASE_TRANSPORT: 'http',
    DATABASE_URL: `postgres://127.0.0.1:${postgresPort}/platform`,
    DB_ROLE_SECRET: testRoleSecret,
    DATABASE: { fetch: (_url: string, init: RequestInit) => fetch(`http://127.0.0.1:${port}/sql`, init) } as unknown as Fetcher, // of a binding nothing but fetch is used
  }
  const openSession = async (role: string): Promise<Session> => {
    const address = await addressOf(role, env, false)
    const line: OpenLine = transport === 'tcp' ? nodeTcpLine(address) : nodeWebSocketLine(port)
    return Session.open(address, line)
  }
  const runs = new Map<string, Run>()
  const runOf = async (role: string): Promise<Run> => {
    const run = runs.get(role) ?? (transport === 'http' ? await overHttp(role, env) : overHeld(role, new HeldConnection(() => openSession(role))))
    runs.set(role, run)
    return run
  }
  return {
    execute: async (role, statements, readOnly = false) => {
      const run = await runOf(role)
      return run(
        statements.map(({ sql, params = [] }) => ({ sql, params })),
        readOnly,
      )
    },
    begin: async (role, steps, { readOnly = false } = {}) => {
      const live = await LiveTransaction.begin(await openSession(role), role, readOnly)
      try {
        return await outcomesOf(live, steps)
      } finally {
        live.drop()
      }
    },
    restart: async () => {
      await server.close()
      server = await start({ port, postgresPort })
    },
    close: () => server.close(),
  }
}

async function overHttp(role: string, env: Env): Promise<Run> {
  const connection = await connect(role, env)
  return (statements, readOnly) => connection(statements, { readOnly })
}

/** What the isolate and the Durable Object do, one after the other. */
function overHeld(role: string, held: HeldConnection): Run {
  return async (statements, readOnly) => {
    try {
      guard(role, statements)
      return await held.run(statements, readOnly)
    } catch (thrown) {
      throw databaseError(thrown)
    }
  }
}

async function outcomesOf(live: LiveTransaction, steps: Step[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [method, statement] of steps) {
    const done = method === 'query' ? live.query({ params: [], ...statement }) : live[method]()
    outcomes.push(
      await done.then(
        (value) => ({ value }),
        (error: NonNullable<Outcome['error']>) => ({ error }),
      ),
    )
  }
  return outcomes
}

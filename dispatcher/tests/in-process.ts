import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { service as dbService } from '../../db/src/service.ts'
import { binding, startDb, type DbInProcess } from '../../db/tests/in-process.ts'
import type { Env } from '../src/env.ts'
import { service } from '../src/service.ts'

/** What a binding of the dispatcher shows. */
export type BoundDispatcher = ReturnType<typeof bindDispatcher>

/** The dispatcher over a real db, both in this process, and a resolver whose answers a test sets. It has no Durable Objects and no namespaces: those are workerd's. */
export interface DispatcherInProcess {
  db: DbInProcess
  env: Env
  dns: Resolver
  /** The dispatcher as a Worker with these rights sees it. */
  as(id: string, permissions: string[]): BoundDispatcher
  close(): Promise<void>
}

/** DNS over HTTPS. */
export interface Resolver {
  url: string
  /** The TXT records by name, as DNS writes them: quoted. */
  records: Map<string, string[]>
  /** What it answers instead, to everything. */
  broken: { status: number; body: string } | undefined
}

/** Starts the dispatcher with the tables it shares a database with. */
export async function startDispatcher(): Promise<DispatcherInProcess> {
  const db = await startDb(['db', 'dispatcher'])
  const { dns, server } = await startResolver()
  const props = { principal: { id: 'dispatcher', permissions: ['db:execute'] }, delegate: { permissions: ['things:read', 'things:write'] } }
  const DB_SERVICE = binding(dbService, db.env, props)
  const env = { KEY_MODE: 'test', HOST_SUFFIX: '.localhost:8787', DNS_URL: dns.url, DB_SERVICE } as unknown as Env // what the tests call reaches nothing else
  return {
    db,
    env,
    dns,
    as: (id, permissions) => bindDispatcher(env, { id, permissions }),
    async close() {
      await new Promise((resolve) => server.close(resolve))
      await db.close()
    },
  }
}

function bindDispatcher(env: Env, principal: { id: string; permissions: string[]; tenant?: string }) {
  return binding(service, env, { principal, delegate: { permissions: ['*'] } })
}

async function startResolver(): Promise<{ dns: Resolver; server: Server }> {
  const dns: Resolver = { url: '', records: new Map(), broken: undefined }
  const server = createServer((request, answer) => {
    const { searchParams } = new URL(request.url ?? '', 'http://resolver')
    const records = searchParams.get('type') === 'TXT' ? dns.records.get(searchParams.get('name') ?? '') : undefined
    const alias = { name: 'alias', type: 5, TTL: 60, data: 'elsewhere.example.com.' }
    const found = { Status: 0, Answer: [alias, ...(records ?? []).map((data) => ({ name: 'asked', type: 16, TTL: 60, data }))] }
    answer.statusCode = dns.broken?.status ?? (request.headers.accept === 'application/dns-json' ? 200 : 415)
    answer.end(dns.broken?.body ?? JSON.stringify(records ? found : { Status: 3 }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  dns.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dns-query` // a server that listens on a port has an address
  return { dns, server }
}

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { rolldown } from 'rolldown'
import { defineProject } from 'vitest/config'
import type { Database } from './tests/workerd/database.ts'

const compatibilityDate = '2026-11-01'

/** A service as one module, as it is deployed. */
async function bundle(service: string): Promise<string> {
  await using build = await rolldown({
    input: fileURLToPath(new URL(`../${service}/src/index.ts`, import.meta.url)),
    external: [/^cloudflare:/, /^node:/],
    resolve: { conditionNames: ['workerd', 'worker', 'browser'] },
  })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  return output[0].code
}

/** Binds one of the entrypoints for published code as deploy would, with the props that say whose it is. */
function lent(entrypoint: string, props?: Record<string, unknown>) {
  return { name: 'dispatcher', entrypoint, ...(props && { props }) }
}

/** TXT records by name; `http://dns/set` adds one. */
const records = new Map<string, string>()

/** The internet of the tests: a DNS resolver, and hosts that say what they were asked and redirect where `to` says. */
function internet(request: { url: string; method: string; headers: Iterable<[string, string]> }): Response {
  const { pathname, searchParams } = new URL(request.url)
  const name = searchParams.get('name') ?? ''
  const to = searchParams.get('to')
  if (pathname === '/set') records.set(name, searchParams.get('value') ?? '')
  if (pathname === '/dns-query') return Response.json({ Status: 0, Answer: [{ type: 16, data: `"${records.get(name) ?? ''}"` }] })
  if (to !== null) return new Response(null, { status: 307, headers: { Location: to } })
  return Response.json({ url: request.url, method: request.method, headers: Object.fromEntries(request.headers) })
}

/** A Worker of one module, with the bindings that it has. */
function worker(name: string, contents: string, bound: object) {
  return { name, modules: [{ type: 'ESModule' as const, path: `${name}.js`, contents }], compatibilityDate, ...bound }
}

const ACME = { tenant: 'acme', worker: 'hello' }
const RIVAL = { tenant: 'rival', worker: 'hello' }

/** What the tests call. */
const tested = {
  DISPATCHER: lent('DispatcherService', { principal: { id: 'test', permissions: ['*'] }, delegate: { permissions: ['*'] } }),
  UNTRUSTED: lent('DispatcherService', { principal: { id: 'test', permissions: [] } }),
  SIBLING: lent('Sibling', { tenant: 'acme', worker: 'back', environment: 'production' }),
  ACME_KV: lent('TenantKv', ACME),
  RIVAL_KV: lent('TenantKv', RIVAL),
  NOBODYS_KV: lent('TenantKv'),
  ACME_BUCKET: lent('TenantBucket', ACME),
  RIVAL_BUCKET: lent('TenantBucket', RIVAL),
  NOBODYS_BUCKET: lent('TenantBucket', { tenant: 'not/a/tenant', worker: 'hello' }),
  NOBODYS_DB: lent('TenantDb'),
  NOBODYS_SIBLING: lent('Sibling', ACME),
  OUTBOUND: 'outbound',
  INTERNET: internet,
}

const NAMESPACES = ['PRODUCTION', 'STAGING', 'DEVELOPMENT', 'INTERNAL', 'PUBLIC', 'TENANT']

/** What the dispatcher itself is bound to, as its configuration has it. */
const dispatchers = {
  bindings: { KEY_MODE: 'test', HOST_SUFFIX: '', DNS_URL: 'http://resolver.example.com/dns-query' },
  kvNamespaces: ['DISPATCHER_KV'],
  r2Buckets: ['DISPATCHER_BUCKET'],
  durableObjects: { Pointers: { className: 'Pointer', useSQLite: true } },
  serviceBindings: {
    ...Object.fromEntries(NAMESPACES.map((name) => [name, { name: 'scripts', entrypoint: 'Namespace' }])),
    DB_SERVICE: {
      name: 'db',
      entrypoint: 'DbService',
      props: { principal: { id: 'dispatcher', permissions: ['db:execute'] }, delegate: { permissions: ['things:read', 'things:write'] } },
    },
  },
  outboundService: internet,
}

/** What db is bound to. */
function dbs({ address, roleSecret }: Database) {
  return {
    bindings: { KEY_MODE: 'test', DATABASE_URL: 'postgres://database.localhost/platform', DB_ROLE_SECRET: roleSecret },
    serviceBindings: { DATABASE: { external: { address, http: {} } } },
  }
}

export default defineProject({
  plugins: [
    cloudflareTest(async ({ inject }) => {
      const [dispatcher, db, scripts] = await Promise.all([
        bundle('dispatcher'),
        bundle('db'),
        readFile(new URL('tests/workerd/scripts.js', import.meta.url), 'utf8'),
      ])
      return {
        miniflare: {
          compatibilityDate,
          durableObjects: { Pointers: { className: 'Pointer', scriptName: 'dispatcher', useSQLite: true } },
          serviceBindings: tested,
          workers: [
            worker('dispatcher', dispatcher, dispatchers),
            worker('outbound', dispatcher, { bindings: { outbound: { ...ACME, allow: ['*.example.com'] } }, outboundService: internet }),
            worker('scripts', scripts, {}),
            worker('db', db, dbs(inject('dispatcherDatabase'))),
          ],
        },
      }
    }),
  ],
  test: {
    name: 'dispatcher on workerd',
    include: ['tests/workerd/**/*.test.ts'],
    globalSetup: ['tests/workerd/database.ts'],
    testTimeout: 20_000,
  },
})

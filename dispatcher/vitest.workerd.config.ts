import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { rolldown } from 'rolldown'
import { defineProject } from 'vitest/config'

const compatibilityDate = '2026-11-01'

/** The dispatcher as one module, as it is deployed. */
async function bundle(): Promise<string> {
  await using build = await rolldown({
    input: fileURLToPath(new URL('src/index.ts', import.meta.url)),
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

/** The internet of the tests: it says what it was asked, and redirects where `to` says. */
function internet(request: { url: string; method: string; headers: Iterable<[string, string]> }): Response {
  const to = new URL(request.url).searchParams.get('to')
  if (to !== null) return new Response(null, { status: 307, headers: { Location: to } })
  return Response.json({ url: request.url, method: request.method, headers: Object.fromEntries(request.headers) })
}

export default defineProject({
  plugins: [
    cloudflareTest(async () => {
      const modules = [{ type: 'ESModule' as const, path: 'dispatcher.js', contents: await bundle() }]
      const dispatcher = { modules, compatibilityDate, kvNamespaces: ['DISPATCHER_KV'], r2Buckets: ['DISPATCHER_BUCKET'] }
      const acme = { tenant: 'acme', worker: 'hello' }
      const rival = { tenant: 'rival', worker: 'hello' }
      return {
        miniflare: {
          compatibilityDate,
          durableObjects: { Pointers: { className: 'Pointer', scriptName: 'dispatcher', useSQLite: true } },
          serviceBindings: {
            ACME_KV: lent('TenantKv', acme),
            RIVAL_KV: lent('TenantKv', rival),
            NOBODYS_KV: lent('TenantKv'),
            ACME_BUCKET: lent('TenantBucket', acme),
            RIVAL_BUCKET: lent('TenantBucket', rival),
            NOBODYS_BUCKET: lent('TenantBucket', { tenant: 'not/a/tenant', worker: 'hello' }),
            NOBODYS_DB: lent('TenantDb'),
            NOBODYS_SIBLING: lent('Sibling', acme),
            OUTBOUND: 'outbound',
          },
          workers: [
            { name: 'dispatcher', ...dispatcher, durableObjects: { Pointers: { className: 'Pointer', useSQLite: true } } },
            { name: 'outbound', ...dispatcher, bindings: { outbound: { ...acme, allow: ['*.example.com'] } }, outboundService: internet },
          ],
        },
      }
    }),
  ],
  test: {
    name: 'dispatcher on workerd',
    include: ['tests/workerd/**/*.test.ts'],
    testTimeout: 20_000,
  },
})

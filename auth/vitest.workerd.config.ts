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

/** A Worker of one module, with the bindings that it has. */
function worker(name: string, contents: string, bound: object) {
  return { name, modules: [{ type: 'ESModule' as const, path: `${name}.js`, contents }], compatibilityDate, ...bound }
}

/** db as auth is bound to it. */
const DB_AS_AUTH = { name: 'db', entrypoint: 'DbService', props: { principal: { id: 'auth', permissions: ['db:execute'] } } }

/** What the tests call. */
const tested = {
  AUTH: { name: 'auth', entrypoint: 'AuthService', props: { principal: { id: 'operator', permissions: ['*'] }, delegate: { permissions: ['*'] } } },
  AUTH_STRANGER: { name: 'auth', entrypoint: 'AuthService' },
  AUTH_INVITED: { name: 'invited', entrypoint: 'AuthService' },
  AUTH_TABLES: DB_AS_AUTH,
  MAILBOX: { name: 'mailbox', entrypoint: 'Mailbox' },
}

const OBJECTS = { RefreshFamilies: 'RefreshFamily', SignInGuards: 'SignInGuard' }

/** auth's Durable Objects, of its own or of another script. */
function objects(scriptName?: string) {
  return Object.fromEntries(Object.entries(OBJECTS).map(([name, className]) => [name, { className, useSQLite: true, ...(scriptName && { scriptName }) }]))
}

/** What auth itself is bound to, as its configuration has it. */
function auths(signUp: string) {
  return {
    bindings: {
      KEY_MODE: 'test',
      KEY_PEPPER: 'the pepper of tests',
      JWT_SIGNING_KEY: 'the signing secret of tests, long enough',
      PLATFORM_URL: 'https://platform.test',
      MAIL_FROM: 'login@platform.test',
      SIGN_UP: signUp,
    },
    durableObjects: objects(),
    serviceBindings: { DB_SERVICE: DB_AS_AUTH, EMAIL: tested.MAILBOX },
  }
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
      const [auth, db, mailbox] = await Promise.all([bundle('auth'), bundle('db'), readFile(new URL('tests/workerd/mailbox.js', import.meta.url), 'utf8')])
      return {
        miniflare: {
          compatibilityDate,
          durableObjects: objects('auth'),
          serviceBindings: tested,
          workers: [
            worker('auth', auth, auths('open')),
            worker('invited', auth, auths('invited')),
            worker('mailbox', mailbox, {}),
            worker('db', db, dbs(inject('authDatabase'))),
          ],
        },
      }
    }),
  ],
  test: {
    name: 'auth on workerd',
    include: ['tests/workerd/**/*.test.ts'],
    globalSetup: ['tests/workerd/database.ts'],
    testTimeout: 20_000,
  },
})

import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Platform, PlatformOptions } from './host/platform.ts'
import { plainScreen, terminalScreen } from './host/screen.ts'

const USAGE = `pnpm dev: the whole platform on this machine

  --port N      where the gateway listens (8787)
  --state DIR   where data and keys are kept (.local)
  --fresh       forget what DIR holds first; a database of one's own is left as it is
  --help        this text

  DATABASE_URL    a PostgreSQL to use in place of the embedded one
  OIDC_PROVIDERS  providers to sign in by, see auth/README.md; WORKOS_API_KEY and WORKOS_CLIENT_ID are WorkOS's own in place of the emulator
  CLICKHOUSE_URL  a ClickHouse to use in place of the embedded one, http://host:8123/database; with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD
`

/** What the command line asks for. */
type Arguments = Pick<PlatformOptions, 'port' | 'stateDir' | 'fresh'>

/** What a shell expects of a program that a signal ended. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

// Reading Miniflare takes half as long when its code is compiled already.
enableCompileCache()
await main()

async function main(): Promise<void> {
  const args = readArguments()
  const print = (line: string) => void process.stdout.write(`${line}\n`)
  const onEvent = process.stdout.isTTY ? terminalScreen(print) : plainScreen(print)
  const { startPlatform } = await import('./host/platform.ts')
  const { DATABASE_URL: databaseUrl, CLICKHOUSE_URL, CLICKHOUSE_USER = 'default', CLICKHOUSE_PASSWORD = '' } = process.env
  const clickhouse = CLICKHOUSE_URL ? { clickhouse: { url: CLICKHOUSE_URL, user: CLICKHOUSE_USER, password: CLICKHOUSE_PASSWORD } } : {}
  const variables = { auth: given(['OIDC_PROVIDERS', 'WORKOS_API_KEY', 'WORKOS_CLIENT_ID']) }
  const starting = startPlatform({ root: process.cwd(), watch: true, onEvent, variables, ...args, ...(databaseUrl ? { databaseUrl } : {}), ...clickhouse })
  stopOnSignals(starting)
  try {
    announce(await starting, args.stateDir, print)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exit(1)
  }
}

function given(names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

function readArguments(): Arguments {
  try {
    const options = {
      port: { type: 'string', default: '8787' },
      state: { type: 'string', default: '.local' },
      fresh: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    } as const
    const { values } = parseArgs({ options })
    if (values.help) exitWith(0, USAGE)
    const port = Number(values.port)
    if (!/^\d+$/.test(values.port) || port > 65_535) exitWith(2, `--port takes a number up to 65535, not ${values.port}\n`)
    return { port, stateDir: values.state, fresh: values.fresh }
  } catch (error) {
    return exitWith(2, `${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function exitWith(code: number, text: string): never {
  const stream = code === 0 ? process.stdout : process.stderr
  stream.write(text)
  process.exit(code)
}

function announce({ url, admin, database, analytics, signIn }: Platform, stateDir: string, print: (line: string) => void): void {
  if (database) print(`database  ${database.engine}`)
  if (analytics) print(`analytics ${analytics.engine}`)
  if (signIn) print(`mailbox   ${signIn.mailbox.url}`)
  if (signIn) print(`sign in   ${url}/auth/login`)
  if (admin) print(admin.isNew ? `admin key ${admin.adminKey}` : `admin key in ${join(stateDir, 'dev.json')}`)
  print(`ready ${url}`)
}

/** The first signal ends everything in order, one that comes while that is under way ends it at once. */
function stopOnSignals(starting: Promise<Platform>): void {
  let stopping = false
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      if (stopping) process.exit(code)
      stopping = true
      starting
        .then((platform) => platform.stop())
        .then(
          () => process.exit(code),
          () => process.exit(code),
        )
    })
  }
}

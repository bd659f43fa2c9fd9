import { spawn } from 'node:child_process'
import type { SpawnOptionsWithStdioTuple } from 'node:child_process'
import { access, chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

/** A PostgreSQL server of this machine, in a directory of its own. */
export interface StockPostgres {
  url: string
  /** Stops and starts the server on the same rows and port; connections are lost. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts the newest installed PostgreSQL on a free port of 127.0.0.1, for tests that need the real one.
 * As root it runs as the user `postgres`, since the server refuses root. Fails when no PostgreSQL is installed.
 */
export async function startStockPostgres(): Promise<StockPostgres> {
  const binaries = await findBinaries()
  const user = process.getuid?.() === 0 ? 'postgres' : undefined
  const dir = await mkdtemp(join(tmpdir(), 'stock-postgres-'))
  const owner = user === undefined ? undefined : ([await idOf('-u', user), await idOf('-g', user)] as const)
  if (owner) await chown(dir, ...owner)
  const data = join(dir, 'data')
  const port = await freePort()
  const passwordFile = join(dir, 'password')
  await writeFile(passwordFile, 'owner')
  if (owner) await chown(passwordFile, ...owner)
  await run(binaries, { user, command: 'initdb', args: ['-D', data, '-U', 'owner', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '-N'] })
  const start = (): Promise<string> =>
    run(binaries, { user, command: 'pg_ctl', args: ['-D', data, '-w', '-l', join(dir, 'log'), '-o', `-h 127.0.0.1 -p ${port} -k ${dir} -F`, 'start'] })
  const stop = (): Promise<string> => run(binaries, { user, command: 'pg_ctl', args: ['-D', data, '-w', '-m', 'immediate', 'stop'] })
  await start()
  const url = `postgresql://owner:owner@127.0.0.1:${port}/postgres`
  return {
    url,
    restart: async () => {
      await stop()
      await start()
      await demandAnswer(url)
    },
    stop: async () => {
      await stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function findBinaries(): Promise<string> {
  const debian = '/usr/lib/postgresql'
  const versions = (await readdir(debian).catch(() => [])).sort((a, b) => Number(b) - Number(a)).map((version) => join(debian, version, 'bin'))
  for (const folder of [...versions, ...(process.env['PATH'] ?? '').split(delimiter)]) {
    const found = await access(join(folder, 'initdb')).then(
      () => true,
      () => false,
    )
    if (found) return folder
  }
  throw new Error('No PostgreSQL is installed here (initdb is neither in /usr/lib/postgresql/*/bin nor in PATH)')
}

interface Command {
  user: string | undefined
  command: string
  args: string[]
}

async function run(binaries: string, { user, command, args }: Command): Promise<string> {
  const program = binaries === '' ? command : join(binaries, command)
  const child = user === undefined ? spawn(program, args, options) : spawn('runuser', ['-u', user, '--', program, ...args], options)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('exit', resolve))
  if (code !== 0) throw new Error(`${command} ended with ${code}: ${output}`)
  return output
}

const options = { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] } satisfies SpawnOptionsWithStdioTuple<'ignore', 'pipe', 'pipe'>

async function idOf(flag: '-u' | '-g', user: string): Promise<number> {
  return Number(await run('', { user: undefined, command: 'id', args: [flag, user] }))
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('No free port')
  return address.port
}

/** Asks until the server answers, twenty times at most. */
async function demandAnswer(url: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 })
    try {
      await client.connect()
      return await client.end()
    } catch (error) {
      if (attempt === 20) throw error
      await delay(100)
    }
  }
}

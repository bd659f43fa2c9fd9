import { execFile } from 'node:child_process'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startStockPostgres, type StockPostgres } from '@dot-do/worker-data/stock-postgres'
import type { Platform } from '@dot-do/worker-local/host/platform'
import { Client } from '@neondatabase/serverless'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { plainSocket } from '../../packages/local/tests/database/plain-socket.ts'
import { probe } from '../flows/probe.ts'
import { stateDirectory } from './dev-program.ts'
import { ROOT } from './program.ts'

const run = promisify(execFile)
const ENCRYPTED = { sql: 'select ssl from pg_stat_ssl where pid = pg_backend_pid()', params: [] }

let dir: string
let stock: StockPostgres
let platform: Platform | undefined
let state: Awaited<ReturnType<typeof stateDirectory>>
const trusted = process.env['NODE_EXTRA_CA_CERTS']

/** A server with a certificate of its own making, for `localhost`, that takes no role without TLS. */
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'transports-tls-'))
  stock = await startStockPostgres()
  await makeCertificate('server', 'localhost')
  await makeCertificate('other', 'elsewhere')
  // workerd is told what to trust when its host is loaded, by the variable that Node itself heeds.
  process.env['NODE_EXTRA_CA_CERTS'] = join(dir, 'server.pem')
  await asOwner(
    'alter system set ssl = on',
    `alter system set ssl_cert_file = '${join(dir, 'server.pem')}'`,
    `alter system set ssl_key_file = '${join(dir, 'server.key')}'`,
  )
  await stock.restart()
}, 120_000)
afterEach(async () => {
  await platform?.stop()
  platform = undefined
  await state.remove()
})
afterAll(async () => {
  if (trusted === undefined) delete process.env['NODE_EXTRA_CA_CERTS']
  else process.env['NODE_EXTRA_CA_CERTS'] = trusted
  await stock.stop()
  await rm(dir, { recursive: true, force: true })
})

/** The server runs as another user than root and refuses a key that others can read. */
async function makeCertificate(name: string, host: string): Promise<void> {
  const [key, certificate] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)]
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`]
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', certificate])
  if (process.getuid?.() !== 0) return
  const owner = Number((await run('id', ['-u', 'postgres'])).stdout)
  for (const file of [dir, key, certificate]) await chown(file, owner, -1)
}

async function asOwner(...statements: string[]): Promise<void> {
  const client = new Client({ connectionString: stock.url })
  client.neonConfig.webSocketConstructor = plainSocket(Number(new URL(stock.url).port))
  client.neonConfig.pipelineConnect = false
  await client.connect()
  for (const sql of statements) await client.query(sql)
  await client.end()
}

async function start(transport: 'websocket' | 'tcp', sslmode: string): Promise<void> {
  const { startPlatform } = await import('@dot-do/worker-local/host/platform')
  state = await stateDirectory()
  const url = new URL(stock.url)
  url.hostname = 'localhost'
  url.searchParams.set('sslmode', sslmode)
  url.searchParams.set('sslrootcert', join(dir, 'server.pem'))
  platform = await startPlatform({ root: ROOT, stateDir: state.dir, port: 0, databaseUrl: url.href, databaseTransport: transport, extraWorkers: [probe] })
}

async function ask(body: object): Promise<{ value?: unknown; error?: { code: string; message: string } }> {
  const answer = await fetch(platform?.workerUrls[probe.name] ?? '', { method: 'POST', body: JSON.stringify({ binding: 'DB_AS_DB', ...body }) })
  return (await answer.json()) as { value?: unknown; error?: { code: string; message: string } } // what the probe tells
}

describe('a connection to a server with TLS', () => {
  it.each(['websocket', 'tcp'] as const)('is encrypted over %s where the URL asks for it', async (transport) => {
    await start(transport, 'verify-full')

    expect(await ask({ method: 'execute', args: [{ statements: [ENCRYPTED] }] })).toMatchObject({ value: { results: [{ rows: [[true]] }] } })
    expect(await ask({ method: 'begin', args: [{}], steps: [['query', ENCRYPTED]] })).toMatchObject({ value: [{ value: { rows: [[true]] } }] })
  })

  it('is not encrypted where the URL does not', async () => {
    await start('tcp', 'disable')

    expect(await ask({ method: 'execute', args: [{ statements: [ENCRYPTED] }] })).toMatchObject({ value: { results: [{ rows: [[false]] }] } })
  })

  it('is not made over TCP with a server whose certificate is another’s', async () => {
    await start('tcp', 'require')
    await asOwner(`alter system set ssl_cert_file = '${join(dir, 'other.pem')}'`, `alter system set ssl_key_file = '${join(dir, 'other.key')}'`)
    await stock.restart()

    const refused = await ask({ method: 'execute', args: [{ statements: [ENCRYPTED] }] })

    expect(refused).toMatchObject({ error: { code: 'UNAVAILABLE', message: 'The database cannot be reached' } })
  })

  it('is not made over TCP with a server that offers no TLS, though the URL asks for it', async () => {
    await asOwner(`alter system set ssl_cert_file = '${join(dir, 'server.pem')}'`, `alter system set ssl_key_file = '${join(dir, 'server.key')}'`)
    await stock.restart()
    await start('tcp', 'require')
    await asOwner('alter system set ssl = off')
    await stock.restart()

    const refused = await ask({ method: 'execute', args: [{ statements: [ENCRYPTED] }] })

    expect(refused).toMatchObject({ error: { code: 'UNAVAILABLE', message: 'The database cannot be reached' } })
  })
})

import { readdir, readFile, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { runDev, stateDirectory, type DevProgram } from './dev-program.ts'
import { familyOf, survivorsOf } from './processes.ts'

let state: Awaited<ReturnType<typeof stateDirectory>>

beforeAll(async () => {
  state = await stateDirectory()
})
afterAll(() => state.remove())

/** Starts the program and waits until it can answer; it ends with the test. */
async function started(args?: string[]): Promise<DevProgram> {
  const program = runDev(state.dir, args)
  onTestFinished(() => program.end())
  await program.ready()
  return program
}

/** Every secret that a state directory holds. */
async function secretsIn(dir: string): Promise<string[]> {
  return Object.values(JSON.parse(await readFile(join(dir, 'secrets.json'), 'utf8')) as Record<string, string>)
}

describe('pnpm dev', () => {
  it('tells in plain lines that it is ready and in a private file where, with which key, as which process', async () => {
    const program = await started(['--port', '0', '--fresh'])

    const { url, adminKey, pid, services } = await program.devFile()
    const { mode } = await stat(join(state.dir, 'dev.json'))

    expect(program.lines.at(-1)).toBe(`ready ${url}`)
    expect(url).toMatch(/^http:\/\/localhost:\d+$/)
    expect(program.lines.join('\n')).not.toContain('\u001b')
    expect(mode & 0o777).toBe(0o600)
    expect(pid).toBe(program.pid)
    expect(services).toEqual(expect.arrayContaining(['auth', 'db', 'deploy', 'dispatcher', 'gateway', 'mcp', 'queue', 'schedule']))
    expect((await fetch(`${url}/db/count`, { headers: { authorization: `Bearer ${adminKey}` } })).status).toBe(200)
  })

  it('keeps the admin key from one start to the next, and shows it at the first only', async () => {
    const first = await started(['--port', '0', '--fresh'])
    const made = (await first.devFile()).adminKey
    process.kill(first.pid, 'SIGTERM')
    await first.exit

    const second = await started()
    const kept = (await second.devFile()).adminKey

    expect(kept).toBe(made)
    expect(first.lines.filter((line) => line.includes(made))).toEqual([`admin key ${made}`])
    expect(second.lines.join('\n')).not.toContain(made)
  })

  it('forgets the old key and all things when it starts fresh', async () => {
    const first = await started()
    const old = await first.devFile()
    const written = await fetch(`${old.url}/db/things`, {
      method: 'POST',
      headers: { authorization: `Bearer ${old.adminKey}` },
      body: JSON.stringify({ $type: 'Note', $id: 'note/forgotten' }),
    })
    process.kill(first.pid, 'SIGINT')
    await first.exit

    const { url, adminKey } = await (await started(['--port', '0', '--fresh'])).devFile()
    const statusOf = async (path: string, key: string) => (await fetch(url + path, { headers: { authorization: `Bearer ${key}` } })).status

    expect(written.status).toBe(201)
    expect(adminKey).not.toBe(old.adminKey)
    expect(await statusOf('/db/count', old.adminKey)).toBe(401)
    expect(await statusOf('/db/things/note/forgotten', adminKey)).toBe(404)
  })

  it('writes no secret to its output or to a file that others can read', async () => {
    const program = await started()
    const { url, adminKey } = await program.devFile()
    const answers = ['/db/count', '/auth/apikeys', '/db/nothing', '/health'].map((path) => fetch(url + path, { headers: { 'x-api-key': adminKey } }))
    const broken = fetch(`${url}/auth/apikeys`, { method: 'POST', headers: { authorization: `Bearer ${adminKey}` }, body: `{"name":"${adminKey}"` })
    await Promise.all([...answers, broken])
    process.kill(program.pid, 'SIGTERM')
    await program.exit

    const output = program.lines.join('\n') + program.errors()
    const modes = await Promise.all(['dev.json', 'secrets.json'].map(async (file) => (await stat(join(state.dir, file))).mode & 0o777))

    expect(program.lines.some((line) => line.includes('"/auth/apikeys"'))).toBe(true)
    for (const secret of [adminKey, ...(await secretsIn(state.dir))]) expect(output).not.toContain(secret)
    expect(modes).toEqual([0o600, 0o600])
  })

  it('says which process holds the state directory, and exits with 1', async () => {
    const first = await started()

    const second = runDev(state.dir)

    expect(await second.exit).toBe(1)
    expect(second.errors()).toBe(`${state.dir} is in use by process ${first.pid}\n`)
    expect((await fetch(`${(await first.devFile()).url}/health`)).status).toBe(200)
  })

  it('says which port another program has, exits with 1 and makes nothing', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const address = other.address()
    const port = typeof address === 'object' && address ? String(address.port) : ''
    const empty = await stateDirectory()
    onTestFinished(() => empty.remove())

    const program = runDev(empty.dir, ['--port', port])

    expect(await program.exit).toBe(1)
    expect(program.errors()).toBe(`Port ${port} is taken by another program; choose another with --port\n`)
    expect((await readdir(empty.dir)).filter((name) => !name.startsWith('lock.'))).toEqual([])
  })

  it.each([['--prot', '1'], ['--port'], ['extra']])('exits with 2 for what it does not know: %s', async (...args) => {
    const program = runDev(state.dir, args)

    expect(await program.exit).toBe(2)
    expect(program.errors()).toContain('pnpm dev: the whole platform on this machine')
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('leaves no process behind on %s, in the middle of requests', async (signal, code) => {
    const program = await started()
    const { url, adminKey } = await program.devFile()
    const family = await familyOf(program.pid)
    const asked = Promise.allSettled(Array.from({ length: 20 }, () => fetch(`${url}/db/stats`, { headers: { authorization: `Bearer ${adminKey}` } })))

    process.kill(program.pid, signal)

    expect(family.some(({ command }) => command.includes('workerd'))).toBe(true)
    expect(family.some(({ command }) => command.includes('database/child'))).toBe(true)
    expect(await program.exit).toBe(code)
    expect(await survivorsOf(family)).toEqual([])
    await asked
  })
})

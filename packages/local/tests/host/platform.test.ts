import { readFile, stat } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { eventLog, get, getAt, getByHost, started, workspace } from './platform-under-test.ts'

it('hands the gateway every request with its Host untouched', async () => {
  const platform = await started({ root: await workspace() })

  const answer = JSON.parse(await getByHost(platform.port, `db.do.localhost:${platform.port}`, '/echo'))

  expect(answer).toEqual({ url: `http://db.do.localhost:${platform.port}/echo`, host: `db.do.localhost:${platform.port}` })
})

it('answers on each of this machine’s own addresses', async () => {
  const platform = await started({ root: await workspace() })
  const addresses = (networkInterfaces()['lo'] ?? networkInterfaces()['lo0'] ?? [])
    .map(({ address }) => address)
    .filter((address) => address === '127.0.0.1' || address === '::1')

  const answers = await Promise.all(addresses.map((address) => getAt(address, platform.port, '/version')))

  expect(addresses).toContain('127.0.0.1')
  expect(answers).toEqual(addresses.map(() => 'first'))
})

it('keeps the operator’s console from whoever lacks its token', async () => {
  const platform = await started({ root: await workspace() })

  const console = await platform.worker('console')
  const answer = await console.fetch('http://console/', { method: 'POST', body: '{"operation":"createKey","input":{}}' })

  expect(answer.status).toBe(404)
})

it('gives a service the variables that it is started with, over all others', async () => {
  const platform = await started({
    root: await workspace(),
    variables: { gateway: { GREETING: 'good day', KEY_MODE: 'live' }, notes: { HOST_SUFFIX: '.elsewhere' } },
  })

  expect(JSON.parse(await get(platform, '/env'))).toMatchObject({ greeting: 'good day', mode: 'live', suffix: `.localhost:${platform.port}` })
})

it('gives each binding its props, and each Worker its local variables and no secret of another', async () => {
  const platform = await started({ root: await workspace() })

  const caller = JSON.parse(await get(platform, '/caller'))
  const env = JSON.parse(await get(platform, '/env'))

  expect(caller).toEqual({ principal: { id: 'gateway', permissions: ['notes:read'] } })
  expect(env).toEqual({
    greeting: 'hello',
    suffix: `.localhost:${platform.port}`,
    mode: 'test',
    names: ['GREETING', 'HOST_SUFFIX', 'KEY_MODE', 'LOG_WAIT_MS', 'NOTES_QUEUE', 'NOTES_SERVICE'],
  })
})

it('delivers queue messages, again after a failure, and then to the dead letter queue', async () => {
  const platform = await started({ root: await workspace() })

  await get(platform, '/send')

  await vi.waitFor(
    async () => expect(JSON.parse(await get(platform, '/journal'))).toEqual(['notes a message 1', 'notes a message 2', 'notes-dead a message 1']),
    10_000,
  )
})

it('keeps what Durable Objects stored, and the admin key, from one start to the next', async () => {
  const root = await workspace()
  const first = await started({ root })
  await get(first, '/count')
  await first.stop()

  const second = await started({ root })

  expect(await get(second, '/count')).toBe('2')
  expect(first.admin?.isNew).toBe(true)
  expect(second.admin).toEqual({ adminKey: first.admin?.adminKey, isNew: false })
})

it('forgets everything when it starts fresh, and makes another admin key', async () => {
  const root = await workspace()
  const first = await started({ root })
  await get(first, '/count')
  await first.stop()

  const second = await started({ root, fresh: true })

  expect(await get(second, '/count')).toBe('1')
  expect(second.admin?.isNew).toBe(true)
  expect(second.admin?.adminKey).not.toBe(first.admin?.adminKey)
})

it('writes address, admin key and services to a file that only its owner can read', async () => {
  const root = await workspace()
  const platform = await started({ root })

  const file = join(root, '.local/dev.json')
  const content = JSON.parse(await readFile(file, 'utf8'))

  const services = ['auth', 'gateway', 'notes']
  const mailbox = platform.signIn?.mailbox.url
  expect(content).toEqual({ url: platform.url, adminKey: platform.admin?.adminKey, pid: process.pid, services, mailbox })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

it('runs further Workers, bound as they ask, on sockets of their own', async () => {
  const source = 'export default { fetch: async (request, env) => Response.json([env.WORD, await env.NOTES_SERVICE.caller()]) }'
  const bindings = { NOTES_SERVICE: { service: 'notes', entrypoint: 'NotesService', props: { probe: 1 } } }
  const platform = await started({ root: await workspace(), extraWorkers: [{ name: 'probe', source, bindings, vars: { WORD: 'aye' }, listens: true }] })

  const answer = await fetch(`${platform.workerUrls['probe']}`)

  expect(await answer.json()).toEqual(['aye', { probe: 1 }])
})

it('shows the sources’ positions in the stacks that Workers log', async () => {
  const log = eventLog()
  const platform = await started({ root: await workspace(), onEvent: log.onEvent })

  await get(platform, '/fail')
  const line = await log.next((event) => event.type === 'log' && event.message.includes('on purpose'))

  expect(line).toMatchObject({ message: expect.stringMatching(/\(gateway\/src\/index\.ts:21:\d+\)/) })
})

it('starts the runtime again when it dies, and says so', async () => {
  const log = eventLog()
  const platform = await started({ root: await workspace(), onEvent: log.onEvent })
  await get(platform, '/count')
  const { workerd } = await platform.pids()

  process.kill(workerd ?? 0, 'SIGKILL')
  await log.next((event) => event.type === 'restarted')

  expect(await get(platform, '/count')).toBe('2')
  expect((await platform.pids()).workerd).not.toBe(workerd)
})

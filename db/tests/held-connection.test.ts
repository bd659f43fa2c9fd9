// long: one connection in all its fortunes
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { resolve } from 'node:path'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { testDatabase, testRoleSecret, type TestDatabase } from '@dot-do/worker-data/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startDatabaseServer, type DatabaseServer } from '../../packages/local/src/database/server.ts'
import { databaseError } from '../src/database-error.ts'
import type { Address } from '../src/transports/address.ts'
import { HeldConnection } from '../src/transports/held.ts'
import { LiveTransaction } from '../src/transports/live.ts'
import { Session } from '../src/transports/session.ts'
import { owned } from './in-process.ts'
import { nodeTcpLine } from './node-lines.ts'

const ENTRY = {
  sql: `insert into db.ledger (principal, operation, key, input_hash, answer) values ('held', 'test', gen_random_uuid()::text, '', '{}')`,
  params: [],
}
const ONE = { sql: 'select 1', params: [] }

let database: TestDatabase
let server: DatabaseServer
let network: Network

/** A network between a Worker and the database that can be cut. */
interface Network {
  port: number
  /** Connections made so far. */
  made(): number
  /** How often a text was sent to the database. */
  sent(text: string): number
  /** After so many more answers from the database the next gets lost, and with it the connections. */
  loseAnswers(after: number): void
  /** What still comes from the database gets lost, and nobody is told. */
  swallowAnswers(): void
  heal(): void
  cut(): void
  close(): void
}

beforeAll(async () => {
  const services = [{ name: 'db', folder: resolve(import.meta.dirname, '..') }]
  database = await testDatabase(services)
  server = await startDatabaseServer({ engine: database.engine, services, roleSecret: testRoleSecret })
}, 60_000)
beforeEach(async () => {
  await database.reset()
  network = await networkTo(server.postgresPort)
})
afterEach(() => {
  vi.useRealTimers()
  network.close()
})
afterAll(() => server.close())

// long: one network, with every way in which it can fail
async function networkTo(target: number): Promise<Network> {
  let mode: 'whole' | 'losing' | 'swallowing' = 'whole'
  let [made, passing] = [0, 0]
  let sent = ''
  const sockets = new Set<Socket>()
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  const pass = (chunk: Buffer, upstream: Socket): void => {
    sent += chunk.toString('latin1')
    upstream.write(chunk)
  }
  const listener = createServer((client) => {
    made += 1
    const upstream = connect(target, '127.0.0.1')
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => socket.destroy()))
    client.on('data', (chunk: Buffer) => pass(chunk, upstream)).on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    upstream.on('data', (chunk) => {
      if (mode === 'whole' || (mode === 'losing' && passing-- > 0)) client.write(chunk)
      else if (mode === 'losing') cut()
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: (listener.address() as AddressInfo).port, // it listens on a port
    made: () => made,
    sent: (text) => sent.split(text).length - 1,
    loseAnswers: (after) => {
      mode = 'losing'
      passing = after
    },
    swallowAnswers: () => (mode = 'swallowing'),
    heal: () => (mode = 'whole'),
    cut,
    close() {
      cut()
      listener.close()
    },
  }
}

async function address(port = network.port): Promise<Address> {
  return { host: '127.0.0.1', port, database: 'platform', user: 'db', password: await rolePassword(testRoleSecret, 'db'), isTls: false }
}

async function opened(): Promise<Session> {
  const to = await address()
  return Session.open(to, nodeTcpLine(to))
}

const held = (): HeldConnection => new HeldConnection(opened)
const refusal = (run: Promise<unknown>): Promise<unknown> => run.then(() => 'done', databaseError)
const entries = async (): Promise<unknown> => owned(database, `select count(*) from db.ledger where principal = 'held'`)

/** Lets time pass for us, while the network's own goes on. */
const fakeTime = (): void => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

describe('a held connection', () => {
  it('is one for all that is asked, one after another', async () => {
    const connection = held()

    await Promise.all(Array.from({ length: 10 }, () => connection.run([ONE], false)))

    expect(network.made()).toBe(1)
    connection.close()
  })

  it('that broke while nothing was asked is replaced unseen', async () => {
    const connection = held()
    await connection.run([ONE], false)

    network.cut()

    await vi.waitFor(async () => expect(await connection.run([ONE], false)).toMatchObject([{ rows: [[1]] }]))
    expect(network.made()).toBe(2)
    connection.close()
  })

  it.each([
    ['before its commit', 0, '0'],
    ['at its commit', 1, '1'],
  ])('sends nothing twice: a write whose answer was lost %s is UNAVAILABLE, and what was done is done', async (_when, answers, count) => {
    const connection = held()
    await connection.run([ONE], false)
    network.loseAnswers(answers)

    const lost = await refusal(connection.run([ENTRY], false))
    network.heal()

    expect(lost).toMatchObject({ code: 'UNAVAILABLE', message: 'The database cannot be reached' })
    expect(await connection.run([ONE], false)).toMatchObject([{ rows: [[1]] }])
    expect(await entries()).toEqual([[count]])
    expect(network.sent('insert into db.ledger')).toBe(1)
    connection.close()
  })

  it('is given up when no answer comes, and replaced', async () => {
    const connection = held()
    await connection.run([ONE], false)
    network.swallowAnswers()
    fakeTime()

    const silent = refusal(connection.run([ONE], false))
    await vi.advanceTimersByTimeAsync(15_000)
    network.heal()

    expect(await silent).toMatchObject({ code: 'UNAVAILABLE' })
    expect(await connection.run([ONE], false)).toMatchObject([{ rows: [[1]] }])
    expect(network.made()).toBe(2)
    connection.close()
  })

  it('refuses those who would wait for it for too long, and does not run what they asked', async () => {
    const connection = held()
    await connection.run([ONE], false)
    network.swallowAnswers()
    fakeTime()

    const [first, second] = [refusal(connection.run([ONE], false)), refusal(connection.run([ENTRY], false))]
    await vi.advanceTimersByTimeAsync(5_000)
    const refused = await second
    await vi.advanceTimersByTimeAsync(10_000)
    network.heal()

    expect(refused).toMatchObject({ code: 'UNAVAILABLE', message: 'The database has too much to do' })
    expect(await first).toMatchObject({ code: 'UNAVAILABLE' })
    expect(await entries()).toEqual([['0']])
    connection.close()
  })

  it('is closed when nobody has used it for thirty seconds, and made anew when somebody does', async () => {
    fakeTime()
    const connection = held()
    await connection.run([ONE], false)
    await vi.advanceTimersByTimeAsync(29_000)
    await connection.run([ONE], false)
    const before = network.made()

    await vi.advanceTimersByTimeAsync(30_000)
    await connection.run([ONE], false)

    expect([before, network.made()]).toEqual([1, 2])
    connection.close()
  })
})

describe('a session', () => {
  it('is not waited for when the server accepts and stays silent', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo // it listens on a port
    const to = await address(port)
    fakeTime()

    const opening = refusal(Session.open(to, nodeTcpLine(to)))
    await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0))
    await vi.advanceTimersByTimeAsync(5_000)

    expect(await opening).toMatchObject({ code: 'UNAVAILABLE', message: 'The database cannot be reached' })
    silent.close()
  })

  it('is refused where nobody listens, and with a wrong password', async () => {
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const { port } = free.address() as AddressInfo // it listens on a port
    free.close()
    await once(free, 'close')
    const [nowhere, wrong] = [await address(port), { ...(await address()), password: 'the wrong one' }]

    const outcomes = await Promise.all([refusal(Session.open(nowhere, nodeTcpLine(nowhere))), refusal(Session.open(wrong, nodeTcpLine(wrong)))])

    expect(outcomes).toMatchObject([
      { code: 'UNAVAILABLE', message: 'The database cannot be reached' },
      { code: 'INTERNAL', message: 'The database failed' },
    ])
    expect(JSON.stringify(outcomes)).not.toContain('the wrong one')
  })
})

describe('a live transaction', () => {
  it('that nobody uses for ten seconds is rolled back', async () => {
    fakeTime()
    const live = await LiveTransaction.begin(await opened(), 'db', false)
    await live.query(ENTRY)

    await vi.advanceTimersByTimeAsync(10_000)

    expect(await refusal(live.query(ONE))).toMatchObject({ code: 'CONFLICT', message: 'The transaction was rolled back, since nobody used it' })
    expect(await entries()).toEqual([['0']])
  })

  it('that the server has had enough of says the same', async () => {
    const live = await LiveTransaction.begin(await opened(), 'db', false)
    await live.query(ENTRY)

    // The embedded engine waits for two seconds, and whoever asks it meanwhile waits with it.
    expect(await entries()).toEqual([['0']])

    await vi.waitFor(async () =>
      expect(await refusal(live.query(ONE))).toMatchObject({ code: 'CONFLICT', message: 'The transaction was rolled back, since nobody used it' }),
    )
  })

  it('whose connection broke was rolled back, and says so', async () => {
    const live = await LiveTransaction.begin(await opened(), 'db', false)
    await live.query(ENTRY)

    network.cut()

    expect(await entries()).toEqual([['0']])
    await vi.waitFor(async () =>
      expect(await refusal(live.query(ONE))).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('its connection broke') }),
    )
  })

  it('is UNAVAILABLE when another one holds the database for too long, and leaves no connection', async () => {
    fakeTime()
    const holder = await LiveTransaction.begin(await opened(), 'db', false)
    const second = await opened()

    const refused = refusal(LiveTransaction.begin(second, 'db', false))
    await vi.advanceTimersByTimeAsync(5_500)

    expect(await refused).toMatchObject({ code: 'UNAVAILABLE' })
    expect(second.isOpen).toBe(false)
    holder.drop()
  })
})

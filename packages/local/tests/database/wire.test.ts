// long: the protocol, message by message
import { embeddedEngine, type EmbeddedEngine } from '@dot-do/worker-data/engines/embedded'
import { migrate } from '@dot-do/worker-data/migrations'
import { rolePassword } from '@dot-do/worker-data/role-password'
import { Client } from '@neondatabase/serverless'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startDatabaseServer, type DatabaseServer } from '../../src/database/server.ts'
import { plainSocket } from './plain-socket.ts'
import { flush, int32, parse, RawClient, run, startup, sync } from './raw-client.ts'
import { roleSecret, state, type State } from './services.ts'

let files: State
let engine: EmbeddedEngine
let server: DatabaseServer
const clients: Client[] = []

beforeAll(async () => {
  files = await state()
  engine = await embeddedEngine({ sessions: { patienceMs: 300, idleMs: 600 } })
  await migrate(engine, [...files.services, { name: 'other', folder: files.dir }], { roleSecret })
  server = await startDatabaseServer({ engine, services: [...files.services, { name: 'other' }], roleSecret })
}, 60_000)
beforeEach(() => engine.script('truncate notes.pages'))
afterEach(() => {
  // A client whose connection has ended already waits for ever for that.
  for (const client of clients.splice(0)) void client.end().catch(() => undefined)
})
afterAll(async () => {
  await server.close()
  await engine.close()
  await files.remove()
})

/** The driver, which asks for a WebSocket and gets a socket: what it sends and hears are the same bytes. */
async function connected(role: string, password?: string): Promise<Client> {
  const client = new Client({
    host: '127.0.0.1',
    port: server.postgresPort,
    database: 'platform',
    user: role,
    password: password ?? (await rolePassword(roleSecret, role)),
  })
  client.neonConfig.webSocketConstructor = plainSocket(server.postgresPort)
  client.neonConfig.pipelineConnect = false
  client.neonConfig.coalesceWrites = false
  client.on('error', () => undefined)
  await client.connect()
  clients.push(client)
  return client
}

/** Asks for the end of what a session waits for, and gives what is answered. */
async function cancel(processID: number, secretKey: number): Promise<Buffer> {
  const canceller = new RawClient(server.postgresPort)
  canceller.write(Buffer.concat([int32(16), int32(80_877_102), int32(processID), int32(secretKey)]))
  return canceller.bytes(1)
}

const pages = async (): Promise<unknown> => (await engine.batch(null, [{ sql: 'select id from notes.pages order by id', params: [] }]))[0]?.rows

describe('the driver', () => {
  it.each([
    ['without parameters', 'select current_user as role, 1 as one', [], [{ role: 'notes', one: 1 }]],
    ['with parameters', 'select $1::text as text, $2::int8 as big', ['a', 7], [{ text: 'a', big: '7' }]],
    ['that says nothing', '-- nothing', [], []],
  ])('runs a text %s', async (_what, sql, values, rows) => {
    const client = await connected('notes')

    expect((await client.query(sql, values)).rows).toEqual(rows)
  })

  it('keeps a transaction from one query to the next, and undoes it', async () => {
    const client = await connected('notes')
    await client.query('begin')
    await client.query(`insert into pages values ('a')`)
    await client.query('savepoint s')
    await client.query(`insert into pages values ('b')`)
    await client.query('rollback to s')
    await client.query('commit')

    await client.query('begin')
    await client.query(`insert into pages values ('c')`)
    await client.query('rollback')

    expect(await pages()).toEqual([['a']])
  })

  it.each([
    ['a wrong password', 'notes', 'wrong'],
    ['a role that nobody has', 'stranger', 'wrong'],
    ['the owner', 'postgres', 'wrong'],
  ])('is refused with %s', async (_what, role, password) => {
    await expect(connected(role, password)).rejects.toMatchObject({
      code: '28P01',
      severity: 'FATAL',
      message: `password authentication failed for user "${role}"`,
    })
  })

  it.each([
    'set role other',
    'reset role',
    'set session authorization other',
    'set local role other',
    'discard all',
    `do $$ begin execute 'reset role'; end $$`,
    `select set_config('role', 'none', false)`,
    'copy pages to stdout',
    'listen everything',
    'prepare p as select 1',
    'select 1; reset role',
    'commit; reset role',
  ])('is refused %j, on its own and in a transaction, and stays who it is', async (sql) => {
    const client = await connected('notes')

    await expect(client.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|42601)$/) })
    await client.query('begin')
    await expect(client.query(sql)).rejects.toMatchObject({ code: expect.stringMatching(/^(42501|42601)$/) })
    await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' })
    await client.query('rollback')

    expect((await client.query('select current_user as role')).rows).toEqual([{ role: 'notes' }])
  })

  it('prepares statements that are nobody else’s', async () => {
    const [notes, other] = [await connected('notes'), await connected('other')]
    const named = (client: Client, text: string) => client.query({ name: 'same', text, values: [] }).then(({ rows }) => rows)

    const first = await named(notes, 'select current_user as role, 1 as one')
    const foreign = await named(other, 'select current_user as role, 2 as two')
    const again = await named(notes, 'select current_user as role, 1 as one')

    expect([first, foreign, again]).toEqual([[{ role: 'notes', one: 1 }], [{ role: 'other', two: 2 }], [{ role: 'notes', one: 1 }]])
  })

  it('gets every row of a large answer, and the reason in place of one that is too large', async () => {
    const client = await connected('notes')

    const large = await client.query(`select repeat('x', 1000000) as text from generate_series(1, 20)`)
    const refused = client.query(`select repeat('x', 1000000) as text from generate_series(1, 100)`)

    expect(large.rows.map(({ text }: { text: string }) => text.length)).toEqual(Array.from({ length: 20 }, () => 1_000_000))
    await expect(refused).rejects.toMatchObject({ code: '54000', severity: 'FATAL' })
  })
})

describe('a transaction', () => {
  it('holds everybody up until it ends', async () => {
    const [holder, waiter] = [await connected('notes'), await connected('other')]
    await holder.query('begin')
    await holder.query(`insert into pages values ('a')`)

    const waiting = waiter.query('select 1 as one')
    await holder.query('commit')

    expect((await waiting).rows).toEqual([{ one: 1 }])
  })

  it('that goes on for too long is refused to those who wait, over every protocol', async () => {
    const [holder, waiter] = [await connected('notes'), await connected('other')]
    await holder.query('begin')
    let isOver = false
    const busy = (async () => {
      while (!isOver) await holder.query('select 1')
    })()

    const outcomes = await Promise.allSettled([waiter.query('begin'), engine.batch('other', [{ sql: 'select 1', params: [] }])])
    isOver = true
    await busy
    await holder.query('commit')

    expect(outcomes).toMatchObject([{ reason: { code: '53300' } }, { reason: { code: '53300' } }])
    expect((await waiter.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('in which nothing happens is rolled back, and its client told', async () => {
    const [holder, waiter] = [await connected('notes'), await connected('other')]
    const told = new Promise((resolve) => holder.once('error', resolve))
    await holder.query('begin')
    await holder.query(`insert into pages values ('a')`)

    expect(await told).toMatchObject({ code: '25P03', severity: 'FATAL' })
    expect((await waiter.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(await pages()).toEqual([])
  })

  it('of a client that goes away is rolled back', async () => {
    const client = await RawClient.open(server.postgresPort, 'notes')
    client.send('Q', 'begin')
    await client.until('Z')
    client.send('Q', `insert into pages values ('a')`)
    await client.until('Z')

    client.destroy()

    expect(await pages()).toEqual([])
  })

  it('that is waited for can be waited for no longer: a request to cancel ends the waiting', async () => {
    const [holder, waiter] = [await connected('notes'), await connected('other')]
    await holder.query('begin')
    const { processID, secretKey } = waiter as unknown as { processID: number; secretKey: number } // what the server gave it to cancel with
    let refusal: unknown
    const waiting = waiter.query('select 1').catch((error: unknown) => (refusal = error))

    // A request that comes before the query that it is to cancel meets nothing.
    while (refusal === undefined) expect(await cancel(processID, secretKey)).toHaveLength(0)

    expect(await waiting).toMatchObject({ code: '57014' })
    await holder.query('commit')
  })
})

describe('a client that speaks for itself', () => {
  const clientOf = (role: string): Promise<RawClient> => RawClient.open(server.postgresPort, role)
  const types = (heard: { type: string }[]): string => heard.map(({ type }) => type).join('')

  it('runs what it prepared without a name, whatever others prepared since', async () => {
    const [victim, intruder] = [await clientOf('notes'), await clientOf('other')]
    victim.write(Buffer.concat([parse('', `select 'mine, as ' || current_user`), sync]))
    await victim.until('Z')
    intruder.write(Buffer.concat([parse('', `select 'theirs, as ' || current_user`), sync]))
    await intruder.until('Z')

    victim.write(Buffer.concat([run(''), sync]))
    const heard = await victim.until('Z')

    expect(types(heard)).toBe('2DCZ')
    expect(heard[1]?.text).toContain('mine, as notes')
    victim.destroy()
    intruder.destroy()
  })

  it('cannot run what others prepared under a name', async () => {
    const [victim, intruder] = [await clientOf('notes'), await clientOf('other')]
    victim.write(Buffer.concat([parse('named', 'select 1'), sync]))
    await victim.until('Z')

    intruder.write(Buffer.concat([run('named'), sync]))
    const refused = await intruder.until('Z')
    intruder.write(Buffer.concat([run(''), sync]))
    const unnamed = await intruder.until('Z')

    expect([types(refused), types(unnamed)]).toEqual(['EZ', 'EZ'])
    expect(refused[0]?.text).toContain('26000')
    victim.destroy()
    intruder.destroy()
  })

  it('lets go of what it prepared when it goes', async () => {
    const client = await clientOf('notes')
    client.write(Buffer.concat([parse('kept', 'select 1'), sync]))
    await client.until('Z')
    const prepared = async (): Promise<unknown> => (await engine.batch(null, [{ sql: 'select count(*) from pg_prepared_statements', params: [] }]))[0]?.rows
    const before = await prepared()

    client.destroy()

    await vi.waitFor(async () => expect(await prepared()).toEqual([['0']]))
    expect(before).toEqual([['1']])
  })

  it('is answered at a Flush, and holds the database until its Sync', async () => {
    const client = await clientOf('notes')
    client.write(Buffer.concat([parse('', `insert into pages values ('a') returning id`), run(''), flush]))
    const flushed = await client.until('C')
    const waiting = pages()

    client.write(sync)
    const synced = await client.until('Z')

    expect([types(flushed), types(synced)]).toEqual(['12DC', 'Z'])
    expect(await waiting).toEqual([['a']])
    client.destroy()
  })

  it('has everything up to its Sync passed over after a refusal', async () => {
    const client = await clientOf('notes')
    client.write(Buffer.concat([parse('', 'reset role'), run(''), parse('', `insert into pages values ('a')`), run(''), sync]))
    const heard = await client.until('Z')

    expect(heard.at(-2)?.text).toContain('42501')
    expect(await pages()).toEqual([])
    client.destroy()
  })

  it('is told at once when nothing of it is waited for: a function call passes by every guard and is refused', async () => {
    const client = await clientOf('notes')
    client.send('F', Buffer.alloc(10))
    client.write(sync)

    expect((await client.until('Z')).at(-2)?.text).toContain('0A000')
    client.destroy()
  })

  it('asks for TLS in vain, and may go on without', async () => {
    const client = new RawClient(server.postgresPort)
    client.write(Buffer.concat([int32(8), int32(80_877_103)]))
    const answer = await client.bytes(1)
    client.write(startup({ user: 'notes' }))

    expect(answer.toString()).toBe('N')
    expect(types(await client.until('R'))).toBe('R')
    client.destroy()
  })

  it('learns which version is spoken when it knows a later one', async () => {
    const client = new RawClient(server.postgresPort)
    client.write(startup({ user: 'notes' }, 196_610))

    expect(types(await client.until('R'))).toBe('vR')
    client.destroy()
  })

  it.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')],
    ['a packet shorter than its own length', int32(3)],
    ['a packet without end', int32(2 ** 30)],
    ['an old version', startup({ user: 'notes' }, 2 << 16)],
    ['no user', startup({ database: 'platform' })],
    ['an empty packet', int32(4)],
  ])('is sent away for %s', async (_what, bytes) => {
    const client = new RawClient(server.postgresPort)
    client.write(bytes)

    const heard = await client.until('nothing')

    expect(types(heard)).toBe('E')
    expect(heard[0]?.text).toContain('08P01')
  })

  it.each([
    ['a message without end', Buffer.concat([Buffer.from('Q'), int32(2 ** 30)])],
    ['a message shorter than its own length', Buffer.concat([Buffer.from('Q'), int32(1)])],
    ['a text among prepared ones', Buffer.concat([parse('', 'select 1'), Buffer.from('Q'), int32(13), Buffer.from('select 1\0')])],
  ])('is sent away for %s once it is in', async (_what, bytes) => {
    const client = await clientOf('notes')
    client.write(bytes)

    const heard = await client.until('nothing')

    expect(heard.at(-1)).toMatchObject({ type: 'E', text: expect.stringContaining('08P01') })
  })
})

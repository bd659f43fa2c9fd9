import { beforeEach, describe, expect, it } from 'vitest'
import { admin, rpc, rpcSteps, unique, type Loose } from './client.ts'

let principal: string

beforeEach(() => {
  principal = unique('transactions')
})

const entry = (key: string) => ({
  sql: 'insert into db.ledger (principal, operation, key, input_hash, answer) values ($1, $2, $3, $4, $5)',
  params: [principal, 'test', key, '', {}],
})
const read = () => ({ sql: 'select key from db.ledger where principal = $1 order by key', params: [principal] })

async function keys(): Promise<unknown> {
  const { value } = await rpc('DB_AS_DB', 'execute', { statements: [read()] })
  return (value['results'] as unknown as { rows: unknown[][] }[])[0]?.rows.flat()
}

const codes = (outcomes: { error: Loose }[]): unknown[] => outcomes.map(({ error }) => error?.['code'] ?? 'done')

describe('a live transaction over RPC', () => {
  it('reads what it wrote, and is there for all once it is committed', async () => {
    const outcomes = await rpcSteps('DB_AS_DB', 'begin', {}, [['query', entry('a')], ['query', read()], ['commit']])

    expect(codes(outcomes)).toEqual(['done', 'done', 'done'])
    expect(outcomes[1]?.value).toMatchObject({ command: 'SELECT', rowCount: 1, fields: [{ name: 'key' }], rows: [['a']] })
    expect(await keys()).toEqual(['a'])
  })

  it.each([
    ['is rolled back', [['rollback']]],
    ['is let go of', []],
  ] as [string, [string][]][])('is undone when it %s', async (_how, end) => {
    const outcomes = await rpcSteps('DB_AS_DB', 'begin', {}, [['query', entry('a')], ...end])

    expect(codes(outcomes)).toEqual(['done', ...end.map(() => 'done')])
    expect(await keys()).toEqual([])
  })

  it('is undone when its caller ends without a word, and keeps nobody waiting', async () => {
    const broken = null as unknown as ['query', object] // the probe fails over it in the middle of its work, and lets go of nothing
    const [failure] = await rpcSteps('DB_AS_DB', 'begin', {}, [['query', entry('a')], broken])

    const outcomes = await rpcSteps('DB_AS_DB', 'begin', {}, [['query', entry('b')], ['commit']])

    expect(failure?.error).toMatchObject({ name: 'TypeError' })
    expect(codes(outcomes)).toEqual(['done', 'done'])
    expect(await keys()).toEqual(['b'])
  })

  it('in which a statement failed says so until it is rolled back, and its commit is an error', async () => {
    const outcomes = await rpcSteps('DB_AS_DB', 'begin', {}, [
      ['query', entry('a')],
      ['query', { sql: 'select 1 / 0' }],
      ['query', read()],
      ['commit'],
      ['rollback'],
      ['query', read()],
    ])

    expect(codes(outcomes)).toEqual(['done', 'INVALID', 'CONFLICT', 'CONFLICT', 'done', 'CONFLICT'])
    expect(outcomes.some(({ error }) => error?.['hasCause'])).toBe(false)
    expect(await keys()).toEqual([])
  })

  it('changes nothing when it is to read only', async () => {
    expect(codes(await rpcSteps('DB_AS_DB', 'begin', { readOnly: true }, [['query', entry('a')]]))).toEqual(['FORBIDDEN'])
  })

  it.each(['DB_AS_AUTH', 'DB_AS_GATEWAY', 'DB_AS_MCP'])('is that of the role of %s and of no other', async (binding) => {
    const role = binding.slice('DB_AS_'.length).toLowerCase()

    const [own] = await rpcSteps(binding, 'begin', {}, [['query', { sql: 'select current_user' }]])
    const foreign = await rpcSteps(binding, 'begin', {}, [['query', entry('a')]])
    const escape = await rpcSteps(binding, 'begin', {}, [['query', { sql: 'set role db' }], ['query', entry('a')], ['commit']])

    expect(own?.value).toMatchObject({ rows: [[role]] })
    expect(codes(foreign)).toEqual(['FORBIDDEN'])
    expect(codes(escape)).toEqual(['FORBIDDEN', 'CONFLICT', 'CONFLICT'])
    expect(await keys()).toEqual([])
  })

  it.each([
    ['an empty text', { sql: '' }, 'sql'],
    ['no text', {}, 'sql'],
    ['parameters that are no list', { sql: 'select 1', params: {} }, 'params'],
    ['a text that is too long', { sql: `select '${'x'.repeat(262_144)}'` }, 'sql'],
  ])('names the field of a statement that does not fit: %s', async (_what, statement, path) => {
    const [outcome] = await rpcSteps('DB_AS_DB', 'begin', {}, [['query', statement]])

    expect(outcome?.error).toMatchObject({ code: 'INVALID', details: [{ path }] })
  })

  it('keeps its messages to one statement each', async () => {
    const outcomes = await rpcSteps('DB_AS_DB', 'begin', {}, [['query', { sql: 'select 1; commit' }], ['rollback']])

    expect(codes(outcomes)).toEqual(['INVALID', 'done'])
  })
})

describe('begin', () => {
  it.each([
    ['nobody', 'DB_STRANGER', 'UNAUTHENTICATED'],
    ['a Worker without the right to', 'DB_POWERLESS', 'FORBIDDEN'],
    ['a Worker that may only speak for others', 'DB_DELEGATE', 'FORBIDDEN'],
  ])('is refused to %s', async (_who, binding, code) => {
    expect((await rpc(binding, 'begin', {})).error).toMatchObject({ code })
  })

  it('is refused to a Worker with every right that speaks for somebody', async () => {
    const person = { id: 'usr_someone', kind: 'user', tenant: 'default', permissions: ['*'] }

    expect((await rpc('DB_DELEGATE', 'begin', {}, { onBehalfOf: person })).error).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('in its own name'),
    })
  })

  it.each([{ readOnly: 'yes' }, { readOnly: true, more: 1 }])('names what does not fit in %j', async (input) => {
    expect((await rpc('DB_AS_DB', 'begin', input)).error).toMatchObject({ code: 'INVALID' })
  })

  it('is offered over RPC alone', async () => {
    expect((await admin('/db/begin', { body: {} })).status).toBe(404)
  })

  it('goes through for many at the same time, one after another', async () => {
    const outcomes = await Promise.all(Array.from({ length: 8 }, (_, index) => rpcSteps('DB_AS_DB', 'begin', {}, [['query', entry(`${index}`)], ['commit']])))

    expect(outcomes.flatMap(codes)).toEqual(Array.from({ length: 16 }, () => 'done'))
    expect(await keys()).toHaveLength(8)
  })
})

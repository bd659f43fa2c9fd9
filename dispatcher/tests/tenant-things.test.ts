import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { runOnThings, THING_OPERATIONS } from '../src/tenant-things.ts'
import { startDispatcher, type DispatcherInProcess } from './in-process.ts'

let dispatcher: DispatcherInProcess

beforeAll(async () => {
  dispatcher = await startDispatcher()
})
beforeEach(() => dispatcher.db.database.reset())
afterAll(() => dispatcher.close())

/** A worker's binding `db`, as it is called. */
function bindingOf(tenant: string) {
  return (name: string, ...args: unknown[]) => runOnThings(name, args, { props: { tenant, worker: 'hello' }, things: dispatcher.env.DB_SERVICE })
}

const acme = bindingOf('acme')
const rival = bindingOf('rival')

describe('a worker’s db binding', () => {
  it('offers what is done with things, and neither SQL nor anything else', () => {
    expect(THING_OPERATIONS.toSorted()).toEqual(
      'activity batch count delete embed get getAt history import incoming list recent relate relationships restore search stats types unrelate update upsert'.split(
        ' ',
      ),
    )
  })

  it('writes and reads its tenant’s things, in the worker’s own name', async () => {
    const written = await acme('upsert', { $type: 'Note', $id: 'note/1', content: 'hello' })

    expect(written).toMatchObject({ ns: 'acme', version: 1 })
    expect(await acme('get', { id: 'note/1' })).toEqual(written)
    expect(await acme('list')).toMatchObject({ items: [{ $id: 'note/1' }] })
    expect(await acme('history', { id: 'note/1' })).toMatchObject({ items: [{ actor: 'worker:acme/hello' }] })
  })

  it('sees nothing of another tenant’s, not even what is public', async () => {
    await acme('upsert', { $type: 'Note', $id: 'note/1', content: 'of acme', visibility: 'public' })

    await expect(rival('get', { id: 'note/1' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await rival('list', {})).toMatchObject({ items: [] })
    expect(await rival('count')).toEqual({ count: 0 })
  })

  it.each([
    ['get', { id: 'note/1', ns: 'acme' }, 'input.ns'],
    ['upsert', { $type: 'Note', ns: 'acme' }, 'input.ns'],
    ['batch', { commands: [{ operation: 'delete', input: { id: 'note/1', ns: 'acme' } }] }, 'input.ns'],
    ['batch', { commands: 'all' }, 'input.commands'],
    ['get', 'note/1', 'input'],
  ])('refuses %s of %j, naming %s', async (name, input, path) => {
    await acme('upsert', { $type: 'Note', $id: 'note/1' })

    await expect(rival(name, input)).rejects.toMatchObject({ code: 'INVALID', details: [{ path }] })
    expect(await acme('get', { id: 'note/1' })).toMatchObject({ version: 1 })
  })

  it('changes several things, all of its tenant’s', async () => {
    const commands = ['a', 'b'].map(($id) => ({ operation: 'upsert', input: { $type: 'Note', $id } }))

    expect(await acme('batch', { commands })).toMatchObject({ results: [{ ns: 'acme' }, { ns: 'acme' }] })
  })

  it('does once what is asked twice under one key', async () => {
    const [first, again] = [await acme('upsert', { $type: 'Note' }, { idempotencyKey: 'k' }), await acme('upsert', { $type: 'Note' }, { idempotencyKey: 'k' })]

    expect(again).toEqual(first)
    expect(await acme('count')).toEqual({ count: 1 })
  })

  it.each(['execute', 'query', 'constructor', 'health'])('has no operation %s', async (name) => {
    await expect(acme(name, {})).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

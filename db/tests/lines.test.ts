import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { LineReader } from '../src/import-lines.ts'
import { importBody } from '../src/lines.ts'
import { as, type Db } from './as.ts'
import { startDb, type DbInProcess } from './in-process.ts'
import { callAs, FILLED, fillForExport, note, readExport, sendImport, untracked, type Loose } from './lines.ts'

let running: DbInProcess
let db: Db

beforeAll(async () => {
  running = await startDb(['db'])
})
beforeEach(async () => {
  await running.database.reset()
  db = as(running)
})
afterAll(() => running.close())

const call = (...asked: [tenant?: string, permissions?: string[], idempotencyKey?: string]) => callAs(running, ...asked)

const HEADERS = { 'content-type': 'application/x-ndjson' }

const link = (from: string, to: string, more: Loose = {}): Loose => ({ from, predicate: 'next', to, data: {}, ...more })

describe('an import', () => {
  it('brings an export back, elsewhere too, and changes nothing the second time', async () => {
    await fillForExport(running)
    const { text } = await readExport(call())

    const first = await sendImport(text, { call: call('elsewhere') })
    const second = await sendImport(text, { call: call('elsewhere') })
    const copy = await readExport(call('elsewhere'))

    expect(first).toEqual({ things: 2, relationships: 1, changed: 3 })
    expect(second).toEqual({ things: 2, relationships: 1, changed: 0 })
    expect(copy.lines.slice(1)).toEqual([...FILLED, { $end: { things: 2, relationships: 1 } }])
  })

  it('takes lines without a first and a last one, with empty ones and a last that has no end', async () => {
    const body = `\r\n${JSON.stringify(note('a'))}\r\n\n${JSON.stringify({ $type: 'Note', $id: 'b' })}`

    expect(await sendImport(body, { call: call() })).toEqual({ things: 2, relationships: 0, changed: 2 })
  })

  it('answers the same Idempotency-Key with the first answer, and refuses it for another body', async () => {
    const keyed = { call: call('default', ['things:write'], 'once') }

    const first = await sendImport([note('a')], keyed)
    const again = await sendImport([note('a')], keyed)

    expect(again).toEqual(first)
    expect(again).toMatchObject({ changed: 1 })
    await expect(sendImport([note('b')], keyed)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  const header = { $export: { ns: 'default', at: '2026-11-21T12:00:00.000Z' } }
  const REFUSED: [what: string, body: string | Uint8Array<ArrayBuffer> | Loose[], code: string, path: string][] = [
    ['is cut before its end', [header, note('a')], 'INVALID', 'lines.3'],
    ['is cut within a line', `${JSON.stringify(header)}\n${JSON.stringify(note('a')).slice(0, 20)}`, 'INVALID', 'lines.2'],
    ['has lost a line', [header, note('a'), { $end: { things: 2, relationships: 0 } }], 'INVALID', 'lines.3.$end'],
    ['goes on after its end', [header, { $end: { things: 0, relationships: 0 } }, note('a')], 'INVALID', 'lines.3'],
    ['is two files', [header, note('a'), header], 'INVALID', 'lines.3.$export'],
    ['has no lines', '', 'INVALID', 'lines'],
    ['has a line of words', `${JSON.stringify(note('a'))}\n\nhello`, 'INVALID', 'lines.3'],
    ['has data that cannot be', [note('a'), note('b', { data: { text: '\u0000' } })], 'INVALID', 'lines.2.data'],
    ['has content with NUL', [note('a'), note('b', { content: '\u0000' })], 'INVALID', 'lines.2.content'],
    ['has an id that escapes', [note('../a')], 'INVALID', 'lines.1.$id'],
    ['has a field nobody knows', [note('a', { secret: 1 })], 'INVALID', 'lines.1.secret'],
    ['has a thing without an id', [{ $type: 'Note' }], 'INVALID', 'lines.1.$id'],
    ['has a line that is a number', '7\n', 'INVALID', 'lines.1'],
    ['has half a character', new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]), 'INVALID', 'lines.1'],
    [
      'relates what is not there',
      [header, note('a'), {}, link('a', 'nowhere')].filter((line) => Object.keys(line).length > 0).concat({ $end: { things: 1, relationships: 1 } }),
      'NOT_FOUND',
      'lines.3.to',
    ],
    ['has more lines than one import may', Array.from({ length: 1_001 }, (_, index) => note(`n/${index}`)), 'TOO_LARGE', 'lines.1001'],
  ]
  it.each(REFUSED)('writes nothing of a body that %s, and says where', async (_what, body, code, path) => {
    await expect(sendImport(body, { call: call() })).rejects.toMatchObject({ code, details: expect.arrayContaining([expect.objectContaining({ path })]) })

    expect(await db.count({})).toEqual({ count: 0 })
  })

  it('refuses a body over 4 MiB, announced or not, before it reads on', async () => {
    const large = `${JSON.stringify(note('a', { content: 'x'.repeat(500_000) }))}\n`.repeat(9)
    const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(0x20)) })
    const request = (body: BodyInit, headers: Record<string, string>) =>
      new Request('http://db/import.ndjson', { method: 'POST', headers: { ...HEADERS, ...headers }, body, duplex: 'half' } as RequestInit)

    for (const asked of [request(large, {}), request('{}', { 'content-length': '5000000' }), request(endless, {})]) {
      await expect(importBody(asked, call(), untracked)).rejects.toMatchObject({ code: 'TOO_LARGE' })
    }
    expect(await db.count({})).toEqual({ count: 0 })
  })

  it.each([
    ['without a type', {}],
    ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['as text', { 'content-type': 'text/plain' }],
    ['as JSON', { 'content-type': 'application/json' }],
  ])('refuses a body that comes %s, since a foreign page could send it', async (_how, headers) => {
    await expect(sendImport([note('a')], { call: call(), headers })).rejects.toMatchObject({ code: 'INVALID', details: [{ path: 'Content-Type' }] })
  })

  it.each([
    ['may only read', call, ['things:read'], '', 'FORBIDDEN'],
    ['writes into another namespace', call, ['things:write'], '?ns=other', 'NOT_FOUND'],
  ])('is refused to whoever %s', async (_who, made, permissions, query, code) => {
    await expect(sendImport([note('a')], { call: made('default', permissions), query })).rejects.toMatchObject({ code })
  })
})

describe('the reader of lines', () => {
  it('accepts a whole export and no part of it', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(20), fc.nat(60), (things, relationships, cut) => {
        const lines = [
          { $export: { ns: 'default', at: '' } },
          ...Array.from({ length: things }, (_, index) => note(`n/${index}`)),
          ...Array.from({ length: relationships }, (_, index) => link('n/0', `n/${index}`)),
          { $end: { things, relationships } },
        ].map((line) => JSON.stringify(line))
        const read = (texts: string[]): void => {
          const reader = new LineReader()
          texts.forEach((text) => reader.take(text))
          reader.end()
        }

        read(lines)
        if (cut > 0 && cut < lines.length) expect(() => read(lines.slice(0, cut))).toThrow('is missing: the export is cut off')
      }),
    )
  })
})

import { afterEach, describe, expect, it, vi } from 'vitest'
import { Spool, type SpooledEntry } from '../src/analytics/spool.ts'
import { durableStorage } from './durable-storage.ts'

const MEBIBYTE = 1_048_576

const piece = (text: string, events = 1) => ({ lines: new TextEncoder().encode(text), events })
const large = { lines: new Uint8Array(MEBIBYTE), events: 10 }
const entry = (about: Partial<SpooledEntry> = {}): SpooledEntry => ({ principal: 'key_1', key: 'k', inputHash: 'h', answer: '{"accepted":1}', ...about })

afterEach(() => void vi.useRealTimers())

function textOf(spool: Spool): string | undefined {
  const batch = spool.nextBatch()
  return (
    batch &&
    spool
      .linesOf(batch)
      .map((lines) => new TextDecoder().decode(lines))
      .join('')
  )
}

describe('the spool', () => {
  it('gives what was appended in its order, until it is delivered', () => {
    const spool = new Spool(durableStorage())
    spool.append([piece('a', 3), piece('b')], undefined)
    spool.append([piece('c')], undefined)

    const batch = spool.nextBatch()

    expect(spool.events).toBe(5)
    expect(textOf(spool)).toBe('abc')
    if (batch) spool.delivered(batch)
    expect(spool.events).toBe(0)
    expect(spool.nextBatch()).toBeUndefined()
  })

  it('gives a batch that was begun again under the same token and with the same content, whatever came since and across restarts', () => {
    const storage = durableStorage()
    const before = new Spool(storage)
    before.append([piece('a')], undefined)
    const begun = before.nextBatch()
    before.append([piece('b')], undefined)

    const after = new Spool(storage)

    expect(after.events).toBe(2)
    expect(after.nextBatch()).toEqual(begun)
    expect(textOf(after)).toBe('a')
  })

  it('gives the next batch another token, and none of what was delivered', () => {
    const spool = new Spool(durableStorage())
    spool.append([piece('a')], undefined)
    const first = spool.nextBatch()
    spool.append([piece('b')], undefined)
    if (first) spool.delivered(first)

    expect(textOf(spool)).toBe('b')
    expect(spool.nextBatch()?.token).not.toBe(first?.token)
  })

  it('cuts batches at 4 MiB, but for a piece that is larger by itself', () => {
    const spool = new Spool(durableStorage())
    spool.append(
      Array.from({ length: 6 }, () => large),
      undefined,
    )

    const batch = spool.nextBatch()

    expect(spool.isBatchFull).toBe(true)
    expect(batch && spool.linesOf(batch)).toHaveLength(4)
    if (batch) spool.delivered(batch)
    expect(spool.isBatchFull).toBe(false)
    expect(spool.events).toBe(20)
  })

  it('takes 256 MiB and then says UNAVAILABLE, and takes more once some was delivered', () => {
    const spool = new Spool(durableStorage())
    for (let count = 0; count < 64; count++) spool.append([large, large, large, large], undefined)

    expect(() => spool.append([piece('x')], undefined)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }))

    expect(spool.events).toBe(2_560)
    const batch = spool.nextBatch()
    if (batch) spool.delivered(batch)
    spool.append([piece('x')], undefined)
    expect(spool.events).toBe(2_521)
  })
})

describe('a keyed call', () => {
  it('is remembered with its events, by principal and key', () => {
    const spool = new Spool(durableStorage())

    spool.append([piece('a')], entry())

    expect(spool.find('key_1', 'k')).toEqual({ inputHash: 'h', answer: '{"accepted":1}' })
    expect(spool.find('key_2', 'k')).toBeUndefined()
    expect(spool.find('key_1', 'other')).toBeUndefined()
  })

  it('that comes a second time at once leaves no events', () => {
    const spool = new Spool(durableStorage())
    spool.append([piece('a')], entry())

    expect(() => spool.append([piece('b')], entry({ answer: '{}' }))).toThrow(expect.objectContaining({ code: 'CONFLICT' }))

    expect(spool.events).toBe(1)
    expect(textOf(spool)).toBe('a')
    expect(spool.find('key_1', 'k')?.answer).toBe('{"accepted":1}')
  })

  it('is forgotten after 24 hours, and its key may be used again', () => {
    vi.useFakeTimers({ now: Date.parse('2026-11-21T09:30:00Z') })
    const spool = new Spool(durableStorage())
    spool.append([piece('a')], entry())

    vi.setSystemTime(Date.parse('2026-11-22T09:30:00Z'))

    expect(spool.find('key_1', 'k')).toBeUndefined()
    spool.append([piece('b')], entry({ inputHash: 'other' }))
    expect(spool.find('key_1', 'k')?.inputHash).toBe('other')
  })
})

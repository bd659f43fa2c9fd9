import fc from 'fast-check'
import { expect, it } from 'vitest'
import { linesOf } from '../src/ndjson.ts'

const encoder = new TextEncoder()

async function read(chunks: Uint8Array[], maxBytes = 1_000_000): Promise<string[]> {
  async function* sent(): AsyncGenerator<Uint8Array> {
    yield* chunks
  }
  const lines: string[] = []
  for await (const line of linesOf(sent(), maxBytes)) lines.push(line)
  return lines
}

/** Bytes cut in pieces at these places. */
function pieces(bytes: Uint8Array, cuts: number[]): Uint8Array[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((one, other) => one - other), bytes.length]
  return places.slice(1).map((end, index) => bytes.slice(places[index], end))
}

it('gives the same lines wherever the stream is cut, within characters too', async () => {
  const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\n\r\uFEFF]/g, ''))
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.array(fc.nat()), async (lines, end, cuts) => {
      const bytes = encoder.encode(lines.map((text) => text + end).join(''))

      expect(await read(pieces(bytes, cuts))).toEqual(lines)
    }),
  )
})

it('does not need a line end after the last line, and takes U+2028 for a character', async () => {
  expect(await read([encoder.encode('a\n\u2028b')])).toEqual(['a', '\u2028b'])
  expect(await read([encoder.encode('a\n')])).toEqual(['a'])
  expect(await read([])).toEqual([])
})

it('keeps what it has read when whoever sends uses the same buffer again', async () => {
  const buffer = new Uint8Array(2)
  async function* sent(): AsyncGenerator<Uint8Array> {
    for (const text of ['ab', 'cd', 'e\n']) {
      buffer.set(encoder.encode(text))
      yield buffer
    }
  }
  const lines: string[] = []

  for await (const line of linesOf(sent(), 10)) lines.push(line)

  expect(lines).toEqual(['abcde'])
})

it('refuses a line that is too long without waiting for its end, in one chunk or in many', async () => {
  let sentChunks = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield encoder.encode('short\n')
    for (;;) {
      sentChunks += 1
      yield encoder.encode('xxxx')
    }
  }
  const all = async () => {
    for await (const line of linesOf(endless(), 10)) expect(line).toBe('short')
  }

  await expect(all()).rejects.toMatchObject({ code: 'TOO_LARGE', details: [{ path: 'lines.2' }] })
  await expect(read([encoder.encode(`a\nb\n${'x'.repeat(11)}\nc`)], 10)).rejects.toMatchObject({ code: 'TOO_LARGE', details: [{ path: 'lines.3' }] })
  expect(await read([encoder.encode(`${'x'.repeat(10)}\n`)], 10)).toHaveLength(1)
  expect(sentChunks).toBe(3)
})

it('refuses what is not UTF-8, and says in which line', async () => {
  await expect(read([encoder.encode('a\n'), new Uint8Array([0xff, 0x0a])])).rejects.toMatchObject({
    code: 'INVALID',
    details: [{ path: 'lines.2', message: 'is not UTF-8' }],
  })
})

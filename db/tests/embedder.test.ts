import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashedEmbedding, hasMeaning } from '../src/embedder.ts'

function nearness(one: string, other: string): number {
  const [left = [], right = []] = [hashedEmbedding(one), hashedEmbedding(other)]
  return left.reduce((sum, number, place) => sum + number * (right[place] ?? 0), 0)
}

const text = fc.string({ unit: 'grapheme', maxLength: 400 })

describe('an embedding made by hashing', () => {
  it('is 384 finite numbers of length 1, or none for a text without letter or digit', () => {
    fc.assert(
      fc.property(text, (any) => {
        const embedding = hashedEmbedding(any)

        if (embedding) expect([embedding.length, Math.hypot(...embedding).toFixed(4)]).toEqual([384, '1.0000'])
        else expect(any).not.toMatch(/[a-z0-9]/i)
      }),
    )
  })

  it('is the same for the same text, whatever was embedded before it', () => {
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 5 }), (any, others) => {
        const first = hashedEmbedding(any)
        for (const other of others) hashedEmbedding(other)

        expect(hashedEmbedding(any)).toEqual(first)
      }),
    )
  })

  it('keeps the numbers it had when embeddings were first stored under its name', () => {
    const embedding = hashedEmbedding('Restore a backup') ?? []

    const largest = [...embedding.entries()].sort(([, one], [, other]) => Math.abs(other) - Math.abs(one)).slice(0, 4)
    expect(largest).toEqual([
      [188, 0.445767],
      [291, 0.445767],
      [26, 0.156019],
      [32, -0.156019],
    ])
  })

  it('makes nothing of case, diacritics, the width of letters and what stands between words', () => {
    expect(hashedEmbedding('Crème—brûlée, ＡＢＣ!')).toEqual(hashedEmbedding('creme brulee abc'))
  })

  it('takes fullText for two words', () => {
    expect(hashedEmbedding('fullText')).toEqual(hashedEmbedding('full text'))
  })

  it.each([
    ['the same words before others', 'restore a backup', 'how a backup is restored', 'how a query is planned'],
    ['an inflected word before others', 'restoring backups', 'backup restored', 'cats dogs'],
    ['a word spelt wrong before others', 'embeding', 'embedding', 'bedroom'],
    ['the same order before another one', 'paper wasp', 'a paper wasp sits', 'wasp, a paper sits'],
    ['a subject before words that every text has', 'the zebra of it', 'zebra', 'the of it and is'],
  ])('brings near %s', (_name, asked, near, far) => {
    expect(nearness(asked, near)).toBeGreaterThan(nearness(asked, far))
  })

  it('knows no synonyms', () => {
    expect(Math.abs(nearness('purchase', 'buy'))).toBeLessThan(0.2)
  })

  it('does not look further than 32,768 characters', () => {
    const long = 'word '.repeat(7_000)

    expect(hashedEmbedding(`${long} zebra`)).toEqual(hashedEmbedding(long))
  })

  it('is made of a text that is one endless word, and of half a surrogate pair', () => {
    expect(hashedEmbedding('漢'.repeat(100_000))).toHaveLength(384)
    expect(hashedEmbedding(`${'x'.repeat(32_767)}🙂`)).toHaveLength(384)
  })
})

describe('a question', () => {
  it.each(['zebra', 'the zebra', '漢字', '42'])('%j has meaning', (question) => {
    expect(hasMeaning(question)).toBe(true)
  })

  it.each(['', '   ', 'the', 'The and OF', '!?', '🙂', ':* & | !'])('%j has none', (question) => {
    expect(hasMeaning(question)).toBe(false)
  })
})

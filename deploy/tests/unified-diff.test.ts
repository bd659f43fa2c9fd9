import { describe, expect, it } from 'vitest'
import { unifiedDiff } from '../src/unified-diff.ts'

/** Applies a unified diff, and fails where it does not fit. */
function apply(from: string, patch: string): string {
  const source = from.split('\n')
  const result: string[] = []
  let at = 0
  for (const line of patch.split('\n').slice(2, -1)) {
    const [, start, count] = /^@@ -(\d+),(\d+) \+\d+,\d+ @@$/.exec(line) ?? []
    if (start !== undefined) {
      const begin = Number(start) - (count === '0' ? 0 : 1)
      result.push(...source.slice(at, begin))
      at = begin
    } else if (line.startsWith('+')) result.push(line.slice(1))
    else {
      expect(source[at]).toBe(line.slice(1))
      if (line.startsWith(' ')) result.push(line.slice(1))
      at++
    }
  }
  return [...result, ...source.slice(at)].join('\n')
}

/** The same numbers every time. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    yield state >> 8
  }
}

describe('a unified diff', () => {
  it('shows what changed with three lines around', () => {
    const from = ['1', '2', '3', '4', '5', '6', '7', '8', ''].join('\n')

    expect(unifiedDiff('a.js', from, from.replace('5', 'five'))).toBe(
      ['--- a.js', '+++ a.js', '@@ -2,7 +2,7 @@', ' 2', ' 3', ' 4', '-5', '+five', ' 6', ' 7', ' 8', ''].join('\n'),
    )
  })

  it('says where a last line has no end', () => {
    expect(unifiedDiff('a', 'x\n', 'x')).toBe('--- a\n+++ a\n@@ -1,1 +1,1 @@\n-x\n+x\n\\ No newline at end of file\n')
  })

  it('turns one text into the other, whatever they are', () => {
    const random = numbers(1)
    const text = () => Array.from({ length: random.next().value % 30 }, () => `${'abc'[random.next().value % 3]}\n`).join('')

    for (let round = 0; round < 500; round++) {
      const [from, to] = [text(), text()]
      const patch = unifiedDiff('a', from, to)
      if (patch === undefined) expect(to).toBe(from)
      else expect(apply(from, patch)).toBe(to)
    }
  })

  it('is left out for what is no text, too long or too different', () => {
    const lines = (mark: string) => Array.from({ length: 1_500 }, (_, index) => `${mark}${index}\n`).join('')

    expect(unifiedDiff('a', undefined, 'x')).toBeUndefined()
    expect(unifiedDiff('a', 'x', 'y'.repeat(2_000_000))).toBeUndefined()
    expect(unifiedDiff('a', lines('a'), lines('b'))).toBeUndefined()
  })
})

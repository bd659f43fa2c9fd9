import { expect, it } from 'vitest'
import { keptRecords } from '../../src/analytics/token-logs.ts'

const PARTS = [
  { partition: 'all', first: 1, last: 4 },
  { partition: '202611', first: 7, last: 7 },
]

it.each([
  ['a token whose rows are in a part', '1\t202611_7_7_0\ttoken\n', true],
  ['a token whose rows were merged into a larger part', '1\tall_2_2_0\ttoken\n', true],
  ['a token whose rows were merged and changed since', '1\tall_2_3_1_9\ttoken\n', true],
  ['that a token was forgotten', '2\tall_9_9_0\ttoken\n', true],
  ['a token whose rows are nowhere', '1\tall_5_5_0\ttoken\n', false],
  ['a token whose rows are in another month only', '1\t202610_7_7_0\ttoken\n', false],
  ['a token of a part that no part holds as a whole', '1\tall_4_5_0\ttoken\n', false],
  ['a line that was cut', '1\tall_2_2_0\ttok', false],
  ['a line that says nothing', 'x\n', false],
])('keeps in mind, or forgets: %s', (_what, line, isKept) => {
  const before = '1\tall_1_1_0\tbefore\n'

  const kept = keptRecords(`${before}${line}`, PARTS)

  expect(kept).toBe(isKept ? `${before}${line}` : before)
})

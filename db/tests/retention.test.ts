import { describe, expect, it } from 'vitest'
import { expiredCopies } from '../src/backup/retention.ts'

const NOW = '2026-11-21T03:00:00.000Z'
const daily = (from: string, days: number): string[] =>
  Array.from({ length: days }, (_, index) => new Date(Date.parse(from) + index * 86_400_000).toISOString())

/** What is left of copies that were made every day, when each day forgot what was too old. */
function keptOf(times: string[]): string[] {
  return times.reduce<string[]>((kept, time) => {
    const all = [...kept, time]
    const expired = new Set(expiredCopies(all, time))
    return all.filter((one) => !expired.has(one))
  }, [])
}

describe('copies of the database', () => {
  it('of the last fourteen days all stay, and the first of this month and of each of the twelve before', () => {
    const kept = keptOf(daily('2024-01-05T03:00:00.000Z', 1_052))

    const lastDays = daily('2026-11-07T03:00:00.000Z', 15)
    const firsts = ['2025-11', '2025-12', ...Array.from({ length: 11 }, (_, index) => `2026-${String(index + 1).padStart(2, '0')}`)].map(
      (month) => `${month}-01T03:00:00.000Z`,
    )
    expect(kept.at(-1)).toBe(NOW)
    expect(kept).toEqual([...firsts, ...lastDays])
  })

  it('made more than once a day all stay for fourteen days', () => {
    const many = Array.from({ length: 300 }, (_, index) => new Date(Date.parse(NOW) - index * 3_600_000).toISOString())

    expect(expiredCopies(many, NOW)).toEqual([])
  })

  it('that are the only one of their month stay for a year, whatever day they are of', () => {
    expect(expiredCopies(['2025-12-28T03:00:00.000Z', '2025-11-30T03:00:00.000Z'], NOW)).toEqual([])
    expect(expiredCopies(['2025-10-31T03:00:00.000Z'], NOW)).toEqual(['2025-10-31T03:00:00.000Z'])
  })

  it('are not forgotten because somebody’s clock is ahead', () => {
    expect(expiredCopies(['2027-01-01T00:00:00.000Z'], NOW)).toEqual([])
  })
})

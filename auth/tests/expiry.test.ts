import { describe, expect, it } from 'vitest'
import { expiryAfter, graceExpiry, renewedExpiry, whyEnded } from '../src/api-keys.ts'

const NOW = new Date('2026-03-28T12:00:00.000Z')

describe('a key’s end', () => {
  it.each([
    ['never', undefined, null],
    ['after a day', 1, '2026-03-29T12:00:00.000Z'],
    ['after days of 24 hours, whatever the clocks on the wall do', 2, '2026-03-30T12:00:00.000Z'],
    ['after ten years', 3650, '2036-03-25T12:00:00.000Z'],
  ])('is %s', (_name, days, expected) => {
    expect(expiryAfter(days, NOW)).toBe(expected)
  })

  it.each([
    ['lives as long as the old one was made to live', '2026-03-01 12:00:00+00', '2026-03-31T12:00:00.000Z', '2026-04-27T12:00:00.000Z'],
    ['has no end when the old one had none', '2026-03-01 12:00:00+00', null, null],
    ['counts from the time of any zone', '2026-03-01 14:00:00+02', '2026-03-02 12:00:00+00', '2026-03-29T12:00:00.000Z'],
  ])('of a successor: it %s', (_name, createdAt, expiresAt, expected) => {
    expect(renewedExpiry({ createdAt, expiresAt }, NOW)).toBe(expected)
  })

  it.each([
    ['comes after the grace period', null, 3600, '2026-03-28T13:00:00.000Z'],
    ['comes at once without one', null, 0, '2026-03-28T12:00:00.000Z'],
    ['is not put off by it', '2026-03-28 12:30:00+00', 3600, '2026-03-28T12:30:00.000Z'],
    ['is brought forward to it', '2026-04-28 12:30:00+00', 3600, '2026-03-28T13:00:00.000Z'],
  ])('by rotation %s', (_name, expiresAt, graceSeconds, expected) => {
    expect(graceExpiry({ expiresAt }, graceSeconds, NOW)).toBe(expected)
  })

  it.each([
    ['in force without an end', null, null, undefined],
    ['in force a millisecond before its end', null, '2026-03-28T12:00:00.001Z', undefined],
    ['expired at its end', null, '2026-03-28T12:00:00.000Z', 'expired'],
    ['revoked, even if expired too', '2026-03-01 00:00:00+00', '2026-03-02 00:00:00+00', 'revoked'],
  ])('leaves it %s', (_name, revokedAt, expiresAt, expected) => {
    expect(whyEnded({ revokedAt, expiresAt }, NOW)).toBe(expected)
  })
})

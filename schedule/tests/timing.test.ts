import { describe, expect, it } from 'vitest'
import { latestWithin, nextTimes, refuseTiming, timesWithin, type Timing } from '../src/timing.ts'

const NOW = Date.parse('2026-11-21T12:34:56.789Z')

/** Up to so many times of an expression after a time, in UTC. */
function runs(cron: string, { zone = 'UTC', from, count = 4 }: { zone?: string; from: string; count?: number }): string[] {
  return nextTimes({ cron, timezone: zone }, Date.parse(from), count).map((time) => new Date(time).toISOString().replace(':00.000Z', 'Z'))
}

/** What is wrong with a timing: the field, or nothing. */
function fault(timing: Timing): string | undefined {
  try {
    refuseTiming(timing, NOW)
    return undefined
  } catch (thrown) {
    return (thrown as { details?: { path: string }[] }).details?.[0]?.path
  }
}

describe('an expression', () => {
  it.each([
    ['*/20 * * * *', '2026-11-21T12:40Z', '2026-11-21T13:00Z'],
    ['30 15 10 * * *', '2026-11-22T10:15:30.000Z', '2026-11-23T10:15:30.000Z'],
    ['@hourly', '2026-11-21T13:00Z', '2026-11-21T14:00Z'],
    ['@daily', '2026-11-22T00:00Z', '2026-11-23T00:00Z'],
    ['@weekly', '2026-11-22T00:00Z', '2026-11-29T00:00Z'],
    ['@monthly', '2026-12-01T00:00Z', '2027-01-01T00:00Z'],
    ['@yearly', '2027-01-01T00:00Z', '2028-01-01T00:00Z'],
    ['0 0 L * *', '2026-11-30T00:00Z', '2026-12-31T00:00Z'],
    ['0 0 15W * ?', '2026-12-15T00:00Z', '2027-01-15T00:00Z'],
    ['0 0 LW * *', '2026-11-30T00:00Z', '2026-12-31T00:00Z'],
    ['0 0 ? * 5L', '2026-11-27T00:00Z', '2026-12-25T00:00Z'],
    ['0 0 * * MON#2', '2026-12-14T00:00Z', '2027-01-11T00:00Z'],
    ['0 0 * * 7', '2026-11-22T00:00Z', '2026-11-29T00:00Z'],
    ['0 0 * * 0', '2026-11-22T00:00Z', '2026-11-29T00:00Z'],
    ['0 0 13 * FRI', '2026-11-27T00:00Z', '2026-12-04T00:00Z'],
    ['0 0 29 2 *', '2028-02-29T00:00Z', '2032-02-29T00:00Z'],
  ])('%s fires at its times', (cron, ...expected) => {
    expect(runs(cron, { from: new Date(NOW).toISOString(), count: 2 })).toEqual(expected)
  })

  it.each([
    '',
    'soon',
    '* * * *',
    '* * * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '0 0 30 2 *',
    '0 0 31 4 *',
    '@reboot',
    '@never',
    '2027-01-01T00:00:00',
    '5/0 * * * *',
    '0 0 8W,L 13 *',
  ])('that is none or never fires is refused: %j', (cron) => {
    expect(fault({ cron, timezone: 'UTC' })).toBe('timing.cron')
  })

  it.each(['Mars/Olympus', 'Europe', '+02:00', 'UTC+1', '../etc'])('in a zone nobody knows is refused: %s', (timezone) => {
    expect(fault({ cron: '@daily', timezone })).toBe('timing.timezone')
  })
})

describe('a date', () => {
  it('is one time', () => {
    const timing = { at: '2026-12-24T18:00:00.000Z' }

    expect(nextTimes(timing, NOW, 5)).toEqual([Date.parse(timing.at)])
    expect(nextTimes(timing, Date.parse(timing.at), 5)).toEqual([])
  })

  it('in the past is refused, and one of this minute is not', () => {
    expect(fault({ at: new Date(NOW - 61_000).toISOString() })).toBe('timing.at')
    expect(fault({ at: new Date(NOW - 1000).toISOString() })).toBeUndefined()
  })
})

describe('an interval', () => {
  it('is counted from its anchor, in both directions, whatever the clocks of people do', () => {
    const timing = { everySeconds: 90, anchor: '2026-11-21T12:00:00.000Z' }
    const at = (text: string) => Date.parse(`2026-11-21T${text}.000Z`)

    expect(nextTimes(timing, at('12:01:30'), 2)).toEqual([at('12:03:00'), at('12:04:30')])
    expect(nextTimes(timing, at('11:57:00'), 2)).toEqual([at('11:58:30'), at('12:00:00')])
    expect(latestWithin(timing, { after: at('11:58:30'), until: at('12:01:30') }, 9)).toEqual([at('12:00:00'), at('12:01:30')])
  })
})

describe('a stretch', () => {
  it('has no time of its beginning, and one of its end', () => {
    const timing = { cron: '0 * * * *', timezone: 'UTC' }
    const stretch = { after: Date.parse('2026-11-21T10:00:00Z'), until: Date.parse('2026-11-21T12:00:00Z') }
    const expected = [stretch.until - 3_600_000, stretch.until]

    expect(timesWithin(timing, stretch, 9)).toEqual(expected)
    expect(latestWithin(timing, stretch, 9)).toEqual(expected)
    expect(latestWithin(timing, { ...stretch, until: stretch.until - 1 }, 9)).toEqual(expected.slice(0, 1))
    expect([timesWithin(timing, stretch, 1), latestWithin(timing, stretch, 1)]).toEqual([expected.slice(0, 1), expected.slice(1)])
  })
})

describe('daylight saving', () => {
  // Where the clock goes forward, a time that does not come is made up for right after the gap; where it goes back, the first of two is meant.
  it.each([
    ['begins in New York', 'America/New_York', '30 2 * * *', '2026-03-07T12:00Z', ['2026-03-08T07:00Z', '2026-03-09T06:30Z']],
    ['ends in New York', 'America/New_York', '30 1 * * *', '2026-10-31T12:00Z', ['2026-11-01T05:30Z', '2026-11-02T06:30Z']],
    ['ends in New York, for several times of day', 'America/New_York', '30 1,2 * * *', '2026-10-31T12:00Z', ['2026-11-01T05:30Z', '2026-11-01T07:30Z']],
    ['begins in London', 'Europe/London', '30 1 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:00Z', '2026-03-30T00:30Z']],
    ['ends in London', 'Europe/London', '30 1 * * *', '2026-10-24T12:00Z', ['2026-10-25T00:30Z', '2026-10-26T01:30Z']],
    // By half an hour: 02:00 becomes 02:30 in October, and 02:00 becomes 01:30 in April.
    ['begins on Lord Howe', 'Australia/Lord_Howe', '15 2 * * *', '2026-10-03T00:00Z', ['2026-10-03T15:30Z', '2026-10-04T15:15Z']],
    ['ends on Lord Howe', 'Australia/Lord_Howe', '45 1 * * *', '2026-04-04T00:00Z', ['2026-04-04T14:45Z', '2026-04-05T15:15Z']],
  ])('%s: what has a time of day runs once a day', (_when, zone, cron, from, expected) => {
    expect(runs(cron, { zone, from, count: 2 })).toEqual(expected)
  })

  it.each([
    ['begins in New York', 'America/New_York', '2026-03-08T06:00Z', ['2026-03-08T06:30Z', '2026-03-08T07:00Z', '2026-03-08T07:30Z', '2026-03-08T08:00Z']],
    ['ends in New York', 'America/New_York', '2026-11-01T05:00Z', ['2026-11-01T05:30Z', '2026-11-01T06:00Z', '2026-11-01T06:30Z', '2026-11-01T07:00Z']],
    ['begins in London', 'Europe/London', '2026-03-29T00:30Z', ['2026-03-29T01:00Z', '2026-03-29T01:30Z', '2026-03-29T02:00Z', '2026-03-29T02:30Z']],
    ['ends in London', 'Europe/London', '2026-10-25T00:00Z', ['2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z', '2026-10-25T02:00Z']],
    ['begins on Lord Howe', 'Australia/Lord_Howe', '2026-10-03T15:00Z', ['2026-10-03T15:30Z', '2026-10-03T16:00Z', '2026-10-03T16:30Z', '2026-10-03T17:00Z']],
    ['ends on Lord Howe', 'Australia/Lord_Howe', '2026-04-04T14:30Z', ['2026-04-04T15:00Z', '2026-04-04T15:30Z', '2026-04-04T16:00Z', '2026-04-04T16:30Z']],
  ])('%s: what has a step goes by the time that passes', (_when, zone, from, expected) => {
    expect(runs('*/30 * * * *', { zone, from })).toEqual(expected)
  })
})

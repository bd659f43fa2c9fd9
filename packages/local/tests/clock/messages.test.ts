import { expect, it } from 'vitest'
import { timepieces } from './timepieces.ts'

it('come at once, without the clock being turned', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:00:00Z')

  await ask('send?body=good')
  await clock.settle()

  expect(await journal()).toEqual(['2027-03-14T00:00:00.000Z bells: good, attempt 1, sent 2027-03-14T00:00:00.000Z'])
})

it('that are delayed come when their time has, in order of that time', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:00:00Z')

  await ask('send?body=late&delay=600')
  await ask('send?body=early&delay=300')
  await clock.advance('2027-03-14T00:05:00Z')
  const early = await journal()
  await clock.advance('2027-03-14T00:10:00Z')

  expect(early).toEqual(['2027-03-14T00:05:00.000Z bells: early, attempt 1, sent 2027-03-14T00:00:00.000Z'])
  expect(await journal()).toContain('2027-03-14T00:10:00.000Z bells: late, attempt 1, sent 2027-03-14T00:00:00.000Z')
})

it('that fail come again after the delay of their consumer, and end in the queue for dead ones', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:00:00Z')

  await ask('send?body=bad')
  await clock.advance('2027-03-14T00:30:00Z')

  expect(await journal()).toEqual([
    '2027-03-14T00:00:00.000Z bells: bad, attempt 1, sent 2027-03-14T00:00:00.000Z',
    '2027-03-14T00:01:00.000Z bells: bad, attempt 2, sent 2027-03-14T00:00:00.000Z',
    '2027-03-14T00:02:00.000Z bells: bad, attempt 3, sent 2027-03-14T00:00:00.000Z',
    '2027-03-14T00:02:00.000Z silence: bad, attempt 1, sent 2027-03-14T00:02:00.000Z',
  ])
})

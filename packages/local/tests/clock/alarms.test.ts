import { expect, it } from 'vitest'
import { timepieces } from './timepieces.ts'

it('are asked for, moved and taken back as with workerd', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:00:00Z')

  const set = await ask('strikeAt?of=tower&at=2027-03-14T00:10:00Z')
  const moved = await ask('strikeAt?of=tower&at=2027-03-14T00:20:00Z')
  await ask('strikeAt?of=hall&at=2027-03-14T00:10:00Z')
  await ask('silence?of=hall')
  await clock.advance('2027-03-14T00:30:00Z')

  expect([set, moved]).toEqual(['2027-03-14T00:10:00.000Z', '2027-03-14T00:20:00.000Z'])
  expect(await ask('due?of=hall')).toBeNull()
  expect(await journal()).toEqual(['2027-03-14T00:20:00.000Z tower rings, next null'])
})

it('that set the next while they ring go on ringing', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:00:30Z')
  await ask('strikeAt?of=restless&at=2027-03-14T00:00:31Z')

  await clock.advance('2027-03-14T00:59:00Z')
  await clock.jump('2027-03-14T06:00:31Z')

  expect(await journal()).toEqual([
    '2027-03-14T00:00:31.000Z restless rings, next 2027-03-14T06:00:31.000Z',
    '2027-03-14T06:00:31.000Z cron 0 * * * * of 2027-03-14T01:00:00.000Z',
    '2027-03-14T06:00:31.000Z cron 30 2 * * * of 2027-03-14T02:30:00.000Z',
    '2027-03-14T06:00:31.000Z restless rings, next 2027-03-14T12:00:31.000Z',
  ])
})

it('that fail ring again after two seconds, then four, and say why', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:00:00Z')
  await ask('strikeAt?of=weak&at=2027-03-14T00:10:00Z')

  const happenings = await clock.advance('2027-03-14T00:30:00Z')

  expect(happenings).toEqual([
    { at: '2027-03-14T00:10:00.000Z', what: 'alarm bells Bell', failure: 'too weak 0' },
    { at: '2027-03-14T00:10:02.000Z', what: 'alarm bells Bell', failure: 'too weak 1' },
    { at: '2027-03-14T00:10:06.000Z', what: 'alarm bells Bell' },
  ])
  expect(await journal()).toEqual(['2027-03-14T00:10:06.000Z weak rings, next null'])
})

it('that are due already ring as soon as the platform is to settle', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:10:00Z')
  await ask('strikeAt?of=tower&at=2027-03-14T00:05:00Z')

  await clock.settle()

  expect(await journal()).toEqual(['2027-03-14T00:10:00.000Z tower rings, next null'])
})

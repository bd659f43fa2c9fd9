import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { timepieces } from './timepieces.ts'

it('stands still in every Worker until it is turned', async () => {
  const { ask, clock } = await timepieces('2027-03-14T00:00:00Z')
  const start = Date.parse('2027-03-14T00:00:00Z')

  const before = await ask('now')
  await clock.advance(1_500)
  const after = await ask('now')

  expect([before, after]).toEqual([
    [start, start, 5, true, 'string'],
    [start + 1_500, start + 1_500, 5, true, 'string'],
  ])
  expect(clock.now()).toBe(start + 1_500)
})

it('lets a day pass in order: crons and alarms each at their very time', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:00:00Z')
  await ask('strikeAt?of=tower&at=2027-03-14T02:30:00.001Z')
  await ask('strikeAt?of=late&at=2027-03-14T01:59:59.999Z')

  const happenings = await clock.advance('2027-03-14T03:00:00Z')

  expect(await journal()).toEqual([
    '2027-03-14T01:00:00.000Z cron 0 * * * * of 2027-03-14T01:00:00.000Z',
    '2027-03-14T01:59:59.999Z late rings, next null',
    '2027-03-14T02:00:00.000Z cron 0 * * * * of 2027-03-14T02:00:00.000Z',
    '2027-03-14T02:30:00.000Z cron 30 2 * * * of 2027-03-14T02:30:00.000Z',
    '2027-03-14T02:30:00.001Z tower rings, next null',
    '2027-03-14T03:00:00.000Z cron 0 * * * * of 2027-03-14T03:00:00.000Z',
  ])
  expect(happenings.map(({ at, what }) => `${at} ${what}`)).toEqual([
    '2027-03-14T01:00:00.000Z cron bells 0 * * * *',
    '2027-03-14T01:59:59.999Z alarm bells Bell',
    '2027-03-14T02:00:00.000Z cron bells 0 * * * *',
    '2027-03-14T02:30:00.000Z cron bells 30 2 * * *',
    '2027-03-14T02:30:00.001Z alarm bells Bell',
    '2027-03-14T03:00:00.000Z cron bells 0 * * * *',
  ])
})

it('comes to the same end each time', async () => {
  const day = async () => {
    const { ask, clock, journal } = await timepieces('2027-03-14T00:00:00Z')
    for (const name of ['restless', 'weak', 'late', 'tower']) await ask(`strikeAt?of=${name}&at=2027-03-14T05:00:00Z`)
    for (const [body, delay] of Object.entries({ bad: 7_200, good: 18_000, soon: 0 })) await ask(`send?body=${body}&delay=${delay}`)
    const happenings = await clock.advance(24 * 3_600_000)
    return { happenings, journal: await journal() }
  }

  const [first, second] = [await day(), await day()]

  expect(second).toEqual(first)
  expect(first.happenings.length).toBeGreaterThan(30)
})

it('lets time pass only forward', async () => {
  const { clock } = await timepieces('2027-03-14T00:00:00Z')

  await expect(clock.advance('2027-03-13T23:59:59Z')).rejects.toThrow('It is 2027-03-14T00:00:00.000Z already')
  await expect(clock.advance('tomorrow')).rejects.toThrow('No time: tomorrow')
  expect(clock.now()).toBe(Date.parse('2027-03-14T00:00:00Z'))
})

it('jumps over what lies between: what came due happens late, each cron once', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:00:00Z')
  await ask('strikeAt?of=tower&at=2027-03-14T12:00:00Z')

  await clock.jump('2027-03-16T00:00:00.500Z')

  expect(await journal()).toEqual([
    '2027-03-16T00:00:00.500Z cron 0 * * * * of 2027-03-14T01:00:00.000Z',
    '2027-03-16T00:00:00.500Z cron 30 2 * * * of 2027-03-14T02:30:00.000Z',
    '2027-03-16T00:00:00.500Z tower rings, next null',
  ])
})

it('jumps back: what is not due yet waits, and crons fire again', async () => {
  const { ask, clock, journal } = await timepieces('2027-03-14T00:30:00Z')
  await ask('strikeAt?of=tower&at=2027-03-14T02:00:00.001Z')
  await clock.advance('2027-03-14T01:30:00Z')

  await clock.jump(-3_600_000)
  await clock.advance('2027-03-14T02:00:00Z')

  expect(await journal()).toEqual([
    '2027-03-14T01:00:00.000Z cron 0 * * * * of 2027-03-14T01:00:00.000Z',
    '2027-03-14T01:00:00.000Z cron 0 * * * * of 2027-03-14T01:00:00.000Z',
    '2027-03-14T02:00:00.000Z cron 0 * * * * of 2027-03-14T02:00:00.000Z',
  ])
})

it('survives a reload, alarms and crons with it', async () => {
  const { ask, clock, journal, platform, root } = await timepieces('2027-03-14T00:00:00Z')
  await ask('strikeAt?of=tower&at=2027-03-14T01:30:00Z')
  await clock.advance(600_000)
  const file = join(root, 'bells/src/index.js')

  await writeFile(file, (await readFile(file, 'utf8')).replace('rings, next', 'rings anew, next'))
  await platform.reload(new Set([file]))
  const [standing] = (await ask('now')) as number[]
  await clock.advance('2027-03-14T01:45:00Z')

  expect(standing).toBe(Date.parse('2027-03-14T00:10:00Z'))
  expect(await journal()).toEqual([
    '2027-03-14T01:00:00.000Z cron 0 * * * * of 2027-03-14T01:00:00.000Z',
    '2027-03-14T01:30:00.000Z tower rings anew, next null',
  ])
})

it('survives the death of the Workers: they wake at the time it is, and alarms ring', async () => {
  const { ask, clock, journal, platform } = await timepieces('2027-03-14T00:00:00Z')
  await ask('strikeAt?of=tower&at=2027-03-14T00:30:00Z')
  await clock.advance(600_000)
  const { workerd = 0 } = await platform.pids()

  process.kill(workerd, 'SIGKILL')
  await vi.waitFor(async () => expect((await platform.pids()).workerd).not.toBe(workerd), 20_000)
  await vi.waitFor(async () => expect(await ask('now')).toContain(clock.now()), 20_000)
  await vi.waitFor(() => clock.advance('2027-03-14T00:45:00Z'), 20_000)

  expect(await journal()).toEqual(['2027-03-14T00:30:00.000Z tower rings, next null'])
})

it('takes up the alarms that an earlier start on the same state left', async () => {
  const { ask, platform, root } = await timepieces('2027-03-14T00:00:00Z')
  await ask('strikeAt?of=tower&at=2027-03-14T00:30:00Z')
  await platform.stop()

  const again = await timepieces('2027-03-14T00:10:00Z', root)
  await again.clock.advance('2027-03-14T00:45:00Z')

  expect(await again.journal()).toEqual(['2027-03-14T00:30:00.000Z tower rings, next null'])
})

import { expect, it, onTestFinished } from 'vitest'
import { platformAt, type Loose, type PlatformInTime } from './platform.ts'

const MINUTE_MS = 60_000
const DAY_MS = 1_440 * MINUTE_MS
const START = Date.parse('2027-03-13T12:00:00Z')

async function enqueue({ ask }: PlatformInTime, job: object): Promise<string> {
  const { status, data, text } = await ask('/queue/jobs', { body: job })
  if (status !== 201) throw new Error(`No job: ${text}`)
  return String(data['id'])
}

const jobOf = async ({ ask }: PlatformInTime, id: string): Promise<Loose> => (await ask(`/queue/jobs/${id}`)).data

async function started(): Promise<PlatformInTime> {
  const inTime = await platformAt('2027-03-13T12:00:00Z')
  onTestFinished(inTime.end)
  return inTime
}

/** What becomes, within three days, of a job that is to wait for that long, and of one that fails each time. */
async function threeDays(): Promise<Record<string, Loose>> {
  const inTime = await started()
  const { clock } = inTime
  const late = await enqueue(inTime, { type: 'db.upsert', payload: { $type: 'Note', $id: 'late' }, delaySeconds: 3 * 86_400 })
  const poison = await enqueue(inTime, { type: 'db.update', payload: { id: 'nowhere', data: { text: 'x' } } })
  await clock.advance(10 * MINUTE_MS)
  const dead = await jobOf(inTime, poison)
  await clock.jump(3 * DAY_MS - 11 * MINUTE_MS)
  const before = await jobOf(inTime, late)
  await clock.advance(MINUTE_MS)
  return { dead, before, after: await jobOf(inTime, late) }
}

it('jobs wait for days and are tried again after minutes, at the very same times in each run', async () => {
  const [first, second] = [await threeDays(), await threeDays()]

  const { dead, before, after } = first
  const failures = dead?.['errors'] as unknown as { at: string; code: string }[]
  const [immediately = 0, afterOne = 0, afterThree = 0] = failures.map(({ at }) => Date.parse(at) - START)
  expect(dead).toMatchObject({ state: 'dead', attempts: 3 })
  expect(failures.map(({ code }) => code)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND'])
  expect(immediately).toBe(0)
  expect(afterOne).toBeGreaterThanOrEqual(MINUTE_MS)
  expect(afterThree - afterOne).toBeGreaterThanOrEqual(2 * MINUTE_MS)
  expect(before).toMatchObject({ state: 'delayed', attempts: 0 })
  expect(after).toMatchObject({ state: 'completed', startedAt: '2027-03-16T12:00:00.000Z', result: { createdAt: '2027-03-16T12:00:00.000Z' } })
  expect((second['dead'] as Loose)['errors']).toEqual(failures)
})

import { describe, expect, it } from 'vitest'
import { countCanary, nextStepAt, setCanary, stepCanary, type CanaryWish } from '../src/canary.ts'
import { rollback } from '../src/slot.ts'
import { slotWith } from './slots.ts'

const START = new Date('2026-03-01T12:00:00.000Z')
const at = (seconds: number) => new Date(START.getTime() + seconds * 1000)

/** 1 is live, 2 was before and is kept. */
const slot = rollback({ ...slotWith([2, 1, 2, 1]), former: [2] }, 2)
const wish: CanaryWish = { version: 1, percent: 10, steps: [] }
const started = setCanary(slot, wish, START)

describe('a canary', () => {
  it('begins with nothing counted', () => {
    expect(started.canary).toMatchObject({ version: 1, percent: 10, header: null, requests: 0, errors: 0, startedAt: START.toISOString() })
    expect(started.live).toBe(2)
  })

  it('goes on with its counts when it is asked for again', () => {
    const counted = countCanary(started, { version: 1, startedAt: START.toISOString(), requests: 5, errors: 1 }, at(1))

    expect(setCanary(counted, wish, at(2))).toBe(counted)
    expect(setCanary(counted, { ...wish, percent: 20 }, at(2)).canary).toMatchObject({ percent: 20, requests: 0, startedAt: at(2).toISOString() })
  })

  it('ends with 0 percent, whichever version is named, and is live with 100', () => {
    expect(setCanary(started, { version: 9, percent: 0, steps: [] }, at(1)).canary).toBeNull()
    expect(setCanary(started, { ...wish, percent: 100 }, at(1))).toMatchObject({ live: 1, canary: null, former: [2] })
  })

  it('may have no share but a header, or nothing yet but steps', () => {
    expect(setCanary(slot, { ...wish, percent: 0, header: 'x-try' }, START).canary).toMatchObject({ percent: 0, header: 'x-try' })
    expect(setCanary(slot, { ...wish, percent: 0, steps: [{ percent: 5, afterSeconds: 60 }] }, START).canary).toMatchObject({ percent: 0 })
  })

  it.each([
    ['what is live', slot, { ...wish, version: 2 }, 'CONFLICT'],
    ['what is not kept', slot, { ...wish, version: 9 }, 'NOT_FOUND'],
    ['anything where nothing is live', { ...slot, live: null }, wish, 'CONFLICT'],
  ])('cannot be %s', (_what, from, asked, code) => {
    expect(() => setCanary(from, asked, START)).toThrow(expect.objectContaining({ code, details: [expect.objectContaining({ path: 'version' })] }))
  })
})

describe('steps', () => {
  const growing = setCanary(
    slot,
    {
      ...wish,
      steps: [
        { percent: 100, afterSeconds: 120 },
        { percent: 50, afterSeconds: 60 },
      ],
    },
    START,
  )

  it.each([
    [0, 10],
    [59, 10],
    [60, 50],
    [119, 50],
  ])('after %i seconds give %i percent', (seconds, percent) => {
    expect(stepCanary(growing, at(seconds)).canary).toMatchObject({ percent })
  })

  it('to 100 percent make the version live', () => {
    expect(stepCanary(growing, at(120))).toMatchObject({ live: 1, canary: null })
  })

  it('are due one after another', () => {
    expect([0, 60, 120].map((seconds) => nextStepAt(growing, at(seconds)))).toEqual([at(60).getTime(), at(120).getTime(), undefined])
    expect(nextStepAt(slot, at(0))).toBeUndefined()
  })

  it('that were taken leave the canary as it was asked for', () => {
    const stepped = stepCanary(growing, at(60))

    expect(setCanary(stepped, { ...wish, steps: growing.canary?.steps ?? [] }, at(61))).toBe(stepped)
  })
})

describe('a canary that fails', () => {
  const careful = setCanary(slot, { ...wish, abortOn: { errorRate: 0.1, minRequests: 20 } }, START)
  const report = { version: 1, startedAt: START.toISOString() }

  it('gives up by itself, and says why', () => {
    const aborted = countCanary(careful, { ...report, requests: 20, errors: 3 }, at(5))

    expect(aborted).toMatchObject({
      live: 2,
      canary: null,
      abortedCanary: { version: 1, at: at(5).toISOString(), reason: '3 of 20 requests failed, more than 10 %' },
    })
  })

  it('is given enough requests, and may fail as often as it may', () => {
    expect(countCanary(careful, { ...report, requests: 19, errors: 19 }, at(5)).canary).toMatchObject({ requests: 19, errors: 19 })
    expect(countCanary(careful, { ...report, requests: 20, errors: 2 }, at(5)).canary).toMatchObject({ requests: 20, errors: 2 })
  })

  it('is judged over all reports together', () => {
    const first = countCanary(careful, { ...report, requests: 15, errors: 3 }, at(5))

    expect(countCanary(first, { ...report, requests: 5, errors: 0 }, at(6)).abortedCanary).toMatchObject({ reason: '3 of 20 requests failed, more than 10 %' })
  })

  it('is not judged by what was counted of another', () => {
    expect(countCanary(careful, { ...report, version: 7, requests: 20, errors: 20 }, at(5))).toBe(careful)
    expect(countCanary(careful, { ...report, startedAt: at(-5).toISOString(), requests: 20, errors: 20 }, at(5))).toBe(careful)
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { setCanary } from '../src/canary.ts'
import { activate, drop, emptySlot, keep, rollback, takeDown, type SlotState } from '../src/slot.ts'
import { keptVersion, slotWith } from './slots.ts'

const shown = ({ live, former }: SlotState) => ({ live, former })

describe('a rollback', () => {
  it('goes to what was live before, and a second one further', () => {
    const three = slotWith([1, 2, 3])

    const once = rollback(three)
    const twice = rollback(once)

    expect(shown(three)).toEqual({ live: 3, former: [2, 1] })
    expect(shown(once)).toEqual({ live: 2, former: [1] })
    expect(shown(twice)).toEqual({ live: 1, former: [] })
    expect(() => rollback(twice)).toThrow('nothing to go back to')
  })

  it('to a version goes there, as far as it is', () => {
    expect(shown(rollback(slotWith([1, 2, 3, 4]), 2))).toEqual({ live: 2, former: [1] })
    expect(shown(rollback(rollback(slotWith([1, 2, 3])), 3))).toEqual({ live: 3, former: [2, 1] })
    expect(shown(rollback(slotWith([1, 2, 3]), 3))).toEqual({ live: 3, former: [2, 1] })
  })

  it('does not come back to what was left by it', () => {
    const bad = slotWith([1, 2, 3])
    const fixed = activate(keep(rollback(bad), keptVersion(4)), 4)

    expect(shown(fixed)).toEqual({ live: 4, former: [2, 1] })
  })

  it('brings back what was taken down', () => {
    expect(shown(rollback(takeDown(slotWith([1, 2]))))).toEqual({ live: 2, former: [1] })
  })

  it('to a version that is not kept is refused, naming the field', () => {
    expect(() => rollback(slotWith([1]), 9)).toThrow(expect.objectContaining({ code: 'NOT_FOUND', details: [{ path: 'to', message: 'is not kept there' }] }))
  })
})

describe('a slot', () => {
  it('keeps its newest version first, and one that is kept again once', () => {
    const slot = keep(slotWith([1, 2]), keptVersion(1, { access: 'admin' }))

    expect(slot.versions.map(({ version, access }) => [version, access])).toEqual([
      [1, 'admin'],
      [2, 'public'],
    ])
    expect(slot.live).toBe(2)
  })

  it('does not drop what is live or a canary, and forgets of what it drops that it was live', () => {
    const slot = setCanary(slotWith([3, 1, 2]), { version: 3, percent: 10, steps: [] }, new Date())

    const dropped = drop(slot, [1, 2, 3])

    expect(dropped.versions.map(({ version }) => version).toSorted()).toEqual([2, 3])
    expect(dropped).toMatchObject({ live: 2, former: [3], canary: { version: 3 } })
  })

  it('that was taken down has nothing live and keeps its versions', () => {
    expect(takeDown(slotWith([1, 2]))).toMatchObject({ live: null, former: [2, 1], wasLive: true, versions: [{ version: 2 }, { version: 1 }] })
  })

  it('does not activate what it does not keep', () => {
    expect(() => activate(emptySlot('staging'), 1)).toThrow(expect.objectContaining({ code: 'NOT_FOUND', message: 'staging keeps no version 1' }))
  })
})

const VERSION = fc.integer({ min: 1, max: 6 })

type Step = (slot: SlotState) => SlotState

const STEP: fc.Arbitrary<Step> = fc.oneof(
  VERSION.map(
    (version): Step =>
      (slot) =>
        keep(slot, keptVersion(version)),
  ),
  VERSION.map(
    (version): Step =>
      (slot) =>
        activate(slot, version),
  ),
  fc.option(VERSION, { nil: undefined }).map(
    (to): Step =>
      (slot) =>
        rollback(slot, to),
  ),
  fc.array(VERSION, { minLength: 1 }).map(
    (versions): Step =>
      (slot) =>
        drop(slot, versions),
  ),
  fc.record({ version: VERSION, percent: fc.constantFrom(0, 10, 100) }).map(
    (wish): Step =>
      (slot) =>
        setCanary(slot, { ...wish, steps: [] }, new Date(0)),
  ),
  fc.constant<Step>(takeDown),
)

function after(steps: Step[]): SlotState {
  return steps.reduce((slot, step) => {
    try {
      return step(slot)
    } catch {
      return slot // refused, so nothing changed
    }
  }, emptySlot('production'))
}

describe('whatever happens to a slot', () => {
  it('keeps everything it names, has no canary of what is live, and repeats nothing in a row', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 40 }), (steps) => {
        const { live, former, canary, versions } = after(steps)
        const kept = new Set(versions.map(({ version }) => version))
        const history = [...(live === null ? [] : [live]), ...former]

        expect(history.filter((version) => !kept.has(version))).toEqual([])
        expect(history.some((version, index) => version === history[index + 1])).toBe(false)
        expect(kept.size).toBe(versions.length)
        if (canary) expect([kept.has(canary.version), live !== null, canary.version === live]).toEqual([true, true, false])
      }),
      { numRuns: 2000 },
    )
  })

  it('goes back, by rollback after rollback, through exactly what was live before', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 40 }), (steps) => {
        const slot = after(steps)
        const passed: (number | null)[] = []

        for (let next = slot; next.former.length > 0;) {
          next = rollback(next)
          passed.push(next.live)
        }

        expect(passed).toEqual(slot.former)
      }),
    )
  })
})

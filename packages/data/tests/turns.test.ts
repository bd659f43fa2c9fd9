import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DatabaseError } from '../src/engines/engine.ts'
import { Turns } from '../src/engines/turns.ts'

const PATIENCE_MS = 1_000

let turns: Turns

beforeEach(() => {
  vi.useFakeTimers()
  turns = new Turns(PATIENCE_MS)
})
afterEach(() => vi.useRealTimers())

/** What came of waiting, once something did. */
function watched(isPatient = false): { outcome: string; leave: (reason: DatabaseError) => void } {
  const { taken, leave } = turns.ask(isPatient)
  const seen = { outcome: 'waits', leave }
  taken.then(
    () => (seen.outcome = 'taken'),
    ({ code }: DatabaseError) => (seen.outcome = code),
  )
  return seen
}

const pass = async (): Promise<void> => {
  turns.pass()
  await vi.advanceTimersByTimeAsync(0)
}

describe('turns', () => {
  it('are taken one after another, in the order they were asked for', async () => {
    const [first, second, third] = [watched(), watched(), watched()]
    await vi.advanceTimersByTimeAsync(0)
    const before = [first.outcome, second.outcome, third.outcome]

    await pass()

    expect(before).toEqual(['taken', 'waits', 'waits'])
    expect([second.outcome, third.outcome]).toEqual(['taken', 'waits'])
  })

  it('are waited for as long as it takes while everybody only works for a moment', async () => {
    watched()
    const waiting = watched()

    await vi.advanceTimersByTimeAsync(10 * PATIENCE_MS)
    const before = waiting.outcome
    await pass()

    expect([before, waiting.outcome]).toEqual(['waits', 'taken'])
  })

  it('are refused to those who have waited long enough for one that is kept', async () => {
    watched()
    const early = watched()
    turns.keep()
    await vi.advanceTimersByTimeAsync(PATIENCE_MS / 2)
    const late = watched()

    await vi.advanceTimersByTimeAsync(PATIENCE_MS / 2)

    expect([early.outcome, late.outcome]).toEqual(['53300', 'waits'])
  })

  it('are refused at once when one is kept and somebody has waited long enough already', async () => {
    watched()
    const waiting = watched()
    await vi.advanceTimersByTimeAsync(PATIENCE_MS)

    turns.keep()
    await vi.advanceTimersByTimeAsync(0)

    expect(waiting.outcome).toBe('53300')
  })

  it('are never refused to the patient', async () => {
    watched()
    const patient = watched(true)
    turns.keep()

    await vi.advanceTimersByTimeAsync(10 * PATIENCE_MS)
    await pass()

    expect(patient.outcome).toBe('taken')
  })

  it('pass over those who left', async () => {
    watched()
    const [left, next] = [watched(), watched()]

    left.leave(new DatabaseError('gone', { code: '57014' }))
    await pass()

    expect([left.outcome, next.outcome]).toEqual(['57014', 'taken'])
  })

  it('cannot be left once they were taken', async () => {
    const holder = watched()
    await vi.advanceTimersByTimeAsync(0)

    holder.leave(new DatabaseError('gone', { code: '57014' }))
    const next = watched()
    await vi.advanceTimersByTimeAsync(0)

    expect([holder.outcome, next.outcome]).toEqual(['taken', 'waits'])
  })
})

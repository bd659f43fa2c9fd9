import { describe, expect, it } from 'vitest'
import { GRACE_MS, newFamily, nextPruneAtMs, prune, rotate, type Family } from '../src/sessions/family.ts'

const NOW = Date.parse('2026-11-21T12:00:00.000Z')
const END = NOW + 30 * 86_400_000

/** Spends a token for the next one, both named by what stands for their hashes. */
function spend(family: Family | undefined, presented: string, atMs: number, next = `${presented}+`) {
  return rotate(family, { presented, next, answer: `answer to ${presented} for ${next}`, atMs })
}

/** A family whose token `a` was spent for `b` just now. */
function spentOnce(): Family {
  const { family } = spend(newFamily('a', END), 'a', NOW, 'b')
  if (!family) throw new Error('The family was lost')
  return family
}

describe('a family of refresh tokens', () => {
  it('takes its newest token, and from then on the next', () => {
    const first = spend(newFamily('a', END), 'a', NOW, 'b')
    const second = spend(first.family, 'b', NOW + 60_000, 'c')

    expect([first.turn, second.turn]).toEqual([{ outcome: 'rotated' }, { outcome: 'rotated' }])
    expect(second.family?.current).toBe('c')
  })

  it.each([
    ['at once', 0],
    ['until just before ten seconds have passed', GRACE_MS - 1],
  ])('gives whoever races with a token the answer that it got: %s', (_name, laterMs) => {
    const { turn } = spend(spentOnce(), 'a', NOW + laterMs, 'another')

    expect(turn).toEqual({ outcome: 'repeated', answer: 'answer to a for b' })
  })

  it('gives it also when the next token was used meanwhile', () => {
    const { family } = spend(spentOnce(), 'b', NOW + 1_000, 'c')

    expect(spend(family, 'a', NOW + 2_000).turn).toEqual({ outcome: 'repeated', answer: 'answer to a for b' })
    expect(spend(family, 'c', NOW + 2_000).turn).toEqual({ outcome: 'rotated' })
  })

  it('is broken by a spent token after ten seconds, and its newest token with it', () => {
    const stolen = spend(spentOnce(), 'a', NOW + GRACE_MS)
    const owner = spend(stolen.family, 'b', NOW + GRACE_MS + 1)

    expect([stolen.turn, owner.turn]).toEqual([{ outcome: 'reused' }, { outcome: 'reused' }])
  })

  it('keeps no answer once it is broken', () => {
    const { family } = spend(spentOnce(), 'never seen', NOW + 1)

    expect(family).toMatchObject({ isBroken: true, spent: [] })
    expect(spend(family, 'a', NOW + 2).turn).toEqual({ outcome: 'reused' })
  })

  it.each([
    ['has expired', newFamily('a', NOW)],
    ['was forgotten', undefined],
  ])('takes nothing when it %s', (_name, family) => {
    expect(spend(family, 'a', NOW)).toEqual({ family, turn: { outcome: 'ended' } })
  })

  it('does not live longer by being used', () => {
    const { family } = spend(spentOnce(), 'b', END - 1, 'c')

    expect(spend(family, 'c', END).turn).toEqual({ outcome: 'ended' })
  })

  it('forgets answers when they have had their time, the earliest first, and itself at its end', () => {
    const { family } = spend(spentOnce(), 'b', NOW + 4_000, 'c')
    if (!family) throw new Error('The family was lost')

    expect(nextPruneAtMs(family)).toBe(NOW + GRACE_MS)
    expect(prune(family, NOW + GRACE_MS)?.spent).toMatchObject([{ hash: 'b' }])
    expect(nextPruneAtMs(newFamily('a', END))).toBe(END)
    expect(prune(family, END)).toBeUndefined()
  })

  it('remembers no more than twenty tokens, however fast somebody refreshes', () => {
    let family: Family | undefined = newFamily('0', END)
    for (let count = 0; count < 100; count++) family = spend(family, String(count), NOW, String(count + 1)).family

    expect(family?.spent).toHaveLength(20)
    expect(spend(family, '100', NOW).turn).toEqual({ outcome: 'rotated' })
  })
})

import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ChangeWaiters } from '../src/change-waiters.ts'
import type { LatestPositions } from '../src/changes.ts'

/** A feed of which only the ends are known: the last position of each namespace. */
function changing() {
  const ends = new Map<string, number>()
  const latest = vi.fn((after: number | undefined, namespaces: string[]): Promise<LatestPositions> => {
    const found = [...ends].filter(([ns, position]) => namespaces.includes(ns) || (after !== undefined && position > after))
    return Promise.resolve({ last: Math.max(0, ...ends.values()), byNamespace: new Map(found) })
  })
  const waiters = new ChangeWaiters(latest)
  const wait = (id: string, ns: string, after: number, forMs = 10_000) => waiters.changed({ id, ns, after, forMs })
  return { ends, latest, waiters, wait }
}

describe('those who wait for changes', () => {
  it('are woken by a change of their namespace and not by others', async () => {
    const { ends, waiters, wait } = changing()
    const acme = wait('a', 'acme', 0)
    void wait('b', 'other', 0)

    ends.set('acme', 1)

    expect(await acme).toBe(true)
    expect(waiters.size).toBe(1)
    waiters.leave('b')
  })

  it('are woken by what changed before they came', async () => {
    const { ends, waiters, wait } = changing()
    ends.set('acme', 5).set('other', 90)
    void wait('first', 'other', 90)
    await expect.poll(() => waiters.size).toBe(1)

    expect(await wait('late', 'acme', 4)).toBe(true)
    waiters.leave('first')
  })

  it('are told when their time is over', async () => {
    const { wait } = changing()

    expect(await wait('a', 'acme', 0, 20)).toBe(false)
  })

  it('are looked for by one query, however many they are', async () => {
    const { ends, latest, wait } = changing()
    const all = Array.from({ length: 500 }, (_, index) => wait(`w${index}`, `ns-${index % 50}`, 0))
    await expect.poll(() => latest.mock.calls.length).toBeGreaterThan(2)
    for (let index = 0; index < 50; index++) ends.set(`ns-${index}`, 1)

    expect(await Promise.all(all)).toEqual(Array.from({ length: 500 }, () => true))
    expect(latest.mock.calls.slice(2).map(([, namespaces]) => namespaces)).toEqual(latest.mock.calls.slice(2).map(() => []))
  })

  it('leave nothing running behind them', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { latest, waiters, wait } = changing()
    const waiting = wait('a', 'acme', 0)
    await vi.advanceTimersByTimeAsync(5_000)
    const looks = latest.mock.calls.length
    waiters.leave('a')
    await vi.advanceTimersByTimeAsync(60_000)

    expect(await waiting).toBe(false)
    expect(looks).toBeGreaterThan(50)
    expect(latest).toHaveBeenCalledTimes(looks)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('wait on while the database fails, and are woken by what happened meanwhile', async () => {
    const { ends, latest, wait } = changing()
    const waiting = wait('a', 'acme', 0)
    latest.mockRejectedValueOnce(new Error('away'))
    await expect.poll(() => latest.mock.settledResults.some(({ type }) => type === 'rejected')).toBe(true)

    ends.set('acme', 1)

    expect(await waiting).toBe(true)
  })
})

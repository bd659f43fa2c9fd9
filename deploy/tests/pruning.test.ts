import { describe, expect, it } from 'vitest'
import { surplusOf } from '../src/pruning.ts'

const kept = (version: number) => ({ version, namespace: 'n', script: 's', access: 'public' as const, branch: null, keptSince: '2026-11-21T12:00:00Z' })
const versions = (count: number) => Array.from({ length: count }, (_, index) => kept(count - index))
const canary = (version: number) => ({ version, percent: 1, header: null, steps: [], abortOn: null, startedAt: '2026-11-21T12:00:00Z', requests: 0, errors: 0 })

describe('pruning', () => {
  it('leaves twenty', () => {
    expect(surplusOf({ live: 20, former: [], canary: null, versions: versions(20) })).toEqual([])
    expect(surplusOf({ live: 23, former: [], canary: null, versions: versions(23) })).toEqual([3, 2, 1])
  })

  it('leaves what serves and what a rollback goes to, however old', () => {
    expect(surplusOf({ live: 1, former: [2, 25], canary: canary(3), versions: versions(25) })).toEqual([5, 4])
  })

  it('does not keep all that ever was live', () => {
    expect(surplusOf({ live: 30, former: Array.from({ length: 29 }, (_, index) => 29 - index), canary: null, versions: versions(30) })).toHaveLength(10)
  })
})

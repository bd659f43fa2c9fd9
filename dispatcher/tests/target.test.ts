import { testPrincipal } from '@dot-do/worker-kernel/testing'
import { ANONYMOUS } from '@dot-do/worker-kernel/identity'
import type { Principal } from '@dot-do/worker-types'
import { describe, expect, it } from 'vitest'
import { refuseStranger } from '../src/access.ts'
import type { WorkerAddress } from '../src/address.ts'
import { setCanary } from '../src/canary.ts'
import type { PointerState } from '../src/pointer-state.ts'
import { activate, emptySlot, keep, takeDown } from '../src/slot.ts'
import { targetOf } from '../src/target.ts'
import { workerError } from '../src/worker-error.ts'
import { keptVersion, slotWith } from './slots.ts'

const address: WorkerAddress = { tenant: 'acme', worker: 'hello', environment: 'production', path: '/' }
const NOW = Date.UTC(2026, 0, 1, 0, 1)

const pointer = (...slots: PointerState['slots']): PointerState => ({ slots, reserved: null })

function find(about: Partial<WorkerAddress>, state: PointerState, { nowMs = NOW, random = 0.5, headers = {} } = {}) {
  return targetOf({ ...address, ...about }, state, { headers: new Headers(headers), nowMs, random: () => random })
}

describe('what answers', () => {
  it('is what is live in the environment', () => {
    const state = pointer(slotWith([1, 2]), slotWith([3], 'staging'))

    expect(find({}, state)).toMatchObject({ kept: { version: 2 }, environment: 'production' })
    expect(find({ environment: 'staging' }, state)).toMatchObject({ kept: { version: 3 } })
  })

  it('is the version that the host names, if it is kept there', () => {
    const state = pointer(slotWith([1, 2]), slotWith([3], 'staging'))

    expect(find({ version: 1 }, state).kept.version).toBe(1)
    expect(() => find({ version: 3 }, state)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })

  it('is the newest version of the branch, wherever it is kept', () => {
    const production = keep(slotWith([1]), keptVersion(2, { branch: 'main' }))
    const staging = keep(keep(emptySlot('staging'), keptVersion(9, { branch: 'other' })), keptVersion(5, { branch: 'main' }))

    expect(find({ branch: 'main' }, pointer(production, staging))).toMatchObject({ kept: { version: 5 }, environment: 'staging' })
    expect(() => find({ branch: 'none' }, pointer(production, staging))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })

  it('is the canary for its share, and never at a version’s own host', () => {
    const state = pointer(setCanary(slotWith([1, 2]), { version: 1, percent: 10, steps: [] }, new Date(NOW)))

    expect(find({}, state, { random: 0.05 })).toMatchObject({ kept: { version: 1 }, choice: { isCanary: true } })
    expect(find({}, state, { random: 0.5 })).toMatchObject({ kept: { version: 2 }, choice: { isCanary: false } })
    expect(find({ version: 2 }, state, { random: 0.05 })).toEqual({ kept: state.slots[0]?.versions.at(0), environment: 'production' })
  })
})

describe('where nothing is live', () => {
  const soon = expect.objectContaining({ code: 'UNAVAILABLE' })
  const nothing = expect.objectContaining({ code: 'NOT_FOUND' })
  const keptOne = keptVersion(1, { keptSince: new Date(NOW).toISOString() })
  const reserved = { version: 1, atMs: NOW }

  it.each<[string, PointerState, unknown]>([
    ['404 when nothing was published', pointer(), nothing],
    ['503 when a number was just given', { slots: [], reserved }, soon],
    ['503 when the first version was just uploaded', { slots: [keep(emptySlot('production'), keptOne)], reserved }, soon],
    ['404 when what is published is for another environment', { slots: [keep(emptySlot('staging'), keptOne)], reserved }, nothing],
    ['503 when an old version is being published here for the first time', { slots: [slotWith([1], 'staging')], reserved }, soon],
    ['404 when it was taken down, whatever is being published', { slots: [takeDown(slotWith([1]))], reserved }, nothing],
  ])('the answer is %s', (_what, state, expected) => {
    expect(() => find({}, state)).toThrow(expected as Error)
  })

  it('the answer is 404 when what was begun did not come to an end', () => {
    const later = NOW + 120_000

    expect(() => find({}, { slots: [], reserved }, { nowMs: later })).toThrow(nothing)
    expect(() => find({}, { slots: [keep(emptySlot('production'), keptOne)], reserved }, { nowMs: later })).toThrow(nothing)
  })

  it('a 404 says how to publish', () => {
    expect(() => find({}, pointer())).toThrow('POST /deploy {"service":"hello"')
  })

  it('the worker answers again once it is live again', () => {
    expect(find({}, pointer(activate(takeDown(slotWith([1, 2])), 1))).kept.version).toBe(1)
  })
})

describe('access', () => {
  const own = testPrincipal([], { tenant: 'acme' })
  const rival = testPrincipal(['things:read'], { tenant: 'rival' })
  const admin = testPrincipal(['*'], { tenant: 'default' })
  const service: Principal = { id: 'gateway', kind: 'service', tenant: 'acme', permissions: [] }

  it.each<['public' | 'tenant' | 'admin', Record<string, string | undefined>]>([
    ['public', { nobody: undefined, own: undefined, rival: undefined, admin: undefined, service: undefined }],
    ['tenant', { nobody: 'UNAUTHENTICATED', own: undefined, rival: 'FORBIDDEN', admin: undefined, service: 'FORBIDDEN' }],
    ['admin', { nobody: 'UNAUTHENTICATED', own: 'FORBIDDEN', rival: 'FORBIDDEN', admin: undefined, service: 'FORBIDDEN' }],
  ])('%s lets in whom it should', (access, expected) => {
    const refused = Object.entries({ nobody: ANONYMOUS, own, rival, admin, service }).map(([name, principal]) => [name, refusalOf(access, principal)])

    expect(Object.fromEntries(refused)).toEqual(expected)
  })

  function refusalOf(access: 'public' | 'tenant' | 'admin', principal: Principal): string | undefined {
    try {
      refuseStranger(access, 'acme', principal)
      return undefined
    } catch (thrown) {
      return (thrown as { code: string }).code
    }
  }
})

describe('a worker that gave no answer', () => {
  it.each([
    ['Worker not found.', 'UNAVAILABLE', false],
    ['Worker exceeded CPU time limit.', 'UNAVAILABLE', true],
    ['Worker exceeded memory limit.', 'UNAVAILABLE', true],
    ["The Worker's process was restarted; the request may or may not have had its effect.", 'UNAVAILABLE', false],
    ['Network connection lost.', 'UNAVAILABLE', false],
    ['secret of its own', 'UPSTREAM', true],
  ])('with "%s" is %s', (text, code, isOwn) => {
    expect(workerError(new Error(text), false)).toMatchObject({ error: { code }, isOwn })
  })

  it('tells why to those who may know', () => {
    expect(workerError(new Error('hunter2'), true).error.message).toBe('The worker threw: hunter2')
    expect(workerError(new Error('hunter2'), false).error.message).not.toContain('hunter2')
  })
})

import { auth } from '@dot-do/worker-contracts/auth'
import type { Contract } from '@dot-do/worker-contracts/contract'
import { db } from '@dot-do/worker-contracts/db'
import { gateway } from '@dot-do/worker-contracts/gateway'
import { health } from '@dot-do/worker-contracts/health'
import { mcp } from '@dot-do/worker-contracts/mcp'
import { queue } from '@dot-do/worker-contracts/queue'
import { schedule } from '@dot-do/worker-contracts/schedule'
import { describe, expect, it } from 'vitest'

const contracts: [string, Contract, string[]][] = [
  ['db', db, ['health', 'getPublic', 'listPublic']],
  ['auth', auth, ['health', 'sendCode', 'signIn', 'refreshSession', 'exchangeToken']],
  ['gateway', gateway, ['health', 'about', 'joinWaitlist']],
  ['mcp', mcp, ['health']],
  ['queue', queue, ['health']],
  ['schedule', schedule, ['health']],
]

describe.each(contracts)("%s's contract", (name, contract, known) => {
  it('bears the name of its file', () => {
    expect(contract.name).toBe(name)
  })

  it('begins with the health that all services share', () => {
    expect(Object.entries(contract.operations)[0]).toEqual(['health', health])
  })

  it('makes nothing public but what is known to be', () => {
    const open = Object.entries(contract.operations).filter(([, { permission }]) => permission === 'public')

    expect(open.map(([operation]) => operation)).toEqual(known)
  })

  it('shows only what a route can show by the statuses it names', () => {
    const silent = Object.entries(contract.operations).filter(([, { status, statuses }]) => (status === undefined) !== (statuses === undefined))

    expect(silent).toEqual([])
  })
})

it('health answers 503 for an error alone', () => {
  const answer = { service: 'db', version: '1', checks: {} }

  expect((['ok', 'degraded', 'error'] as const).map((status) => health.status?.({ ...answer, status }))).toEqual([200, 200, 503])
})

it('no key, statement or typo of a batch passes as something else', () => {
  const refused = db.operations.batch.input.safeParse({ commands: [{ operation: 'delete', input: { id: 'a', ifVerzion: 1 } }] })

  expect(refused.error?.issues).toMatchObject([{ code: 'unrecognized_keys', keys: ['ifVerzion'], path: ['commands', 0, 'input'] }])
})

it('a written thing answers 201 once and 200 from then on', () => {
  const thing = { ns: 'a', $id: 'a', $type: 'A', content: '', data: {}, visibility: 'private' as const, createdAt: '', updatedAt: '' }

  expect([1, 2, 7].map((version) => db.operations.upsert.status?.({ ...thing, version }))).toEqual([201, 200, 200])
})

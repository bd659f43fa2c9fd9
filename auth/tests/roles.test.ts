import { auth } from '@dot-do/worker-contracts/auth'
import type { Contract } from '@dot-do/worker-contracts/contract'
import { db } from '@dot-do/worker-contracts/db'
import { deploy } from '@dot-do/worker-contracts/deploy'
import { dispatcher } from '@dot-do/worker-contracts/dispatcher'
import { gateway } from '@dot-do/worker-contracts/gateway'
import { mcp } from '@dot-do/worker-contracts/mcp'
import { queue } from '@dot-do/worker-contracts/queue'
import { schedule } from '@dot-do/worker-contracts/schedule'
import { allows, covers } from '@dot-do/worker-utils'
import { describe, expect, it } from 'vitest'
import { NARROWED_PERMISSIONS, permissionsOf, TENANT_PERMISSIONS } from '../src/roles.ts'

const CONTRACTS: Contract[] = [auth, db, deploy, dispatcher, gateway, mcp, queue, schedule]

/** What only the platform's own people and Workers may: it reaches every tenant, or belongs to no tenant. */
const PLATFORM = [
  'audit:verify',
  'audit:write',
  'auth:maintain',
  'db:execute',
  'db:maintain',
  'db:query',
  'directories:write',
  'events:relay',
  'executions:settle',
  'keys:verify',
  'limits:write',
  'pointers:read',
  'pointers:write',
  'principals:resolve',
  'queue:configure',
  'queue:maintain',
  'refusals:read',
  'routes:read',
  'routes:write',
  'schedule:maintain',
  'signing-keys:read',
  'signing-keys:write',
  'tenants:read',
  'tenants:write',
  'users:read',
  'users:write',
  'waitlist:read',
  'waitlist:write',
]

const operations = CONTRACTS.flatMap((contract) =>
  Object.entries(contract.operations).map(([name, operation]) => ({ name: `${contract.name}.${name}`, operation })),
)
/** What operations ask for beyond the permission in their contract, by what their input says. */
const BY_INPUT = ['limits:write', 'sessions:read', 'sessions:write']
const permissions = [...new Set([...operations.map(({ operation }) => operation.permission), ...BY_INPUT])].filter((permission) => permission.includes(':'))

describe('the admin of an organisation', () => {
  it('is told of each permission in any contract whether it is theirs, narrowed, or the platform’s', () => {
    const told = [...TENANT_PERMISSIONS, ...NARROWED_PERMISSIONS, ...PLATFORM]

    expect(told.toSorted()).toEqual([...new Set(told)].toSorted())
    expect(permissions.filter((permission) => !told.includes(permission))).toEqual([])
    expect(told.filter((permission) => !permissions.includes(permission))).toEqual([])
  })

  it('may do nothing of the platform’s', () => {
    const admin = permissionsOf('admin', 'acme')

    expect(PLATFORM.filter((permission) => allows(admin, permission))).toEqual([])
    expect(covers(admin, ['*'])).toBe(false)
  })

  it('may publish for the own tenant and for no other', () => {
    const admin = permissionsOf('admin', 'acme')
    const about = (tenant: string) => ({ service: 'hello', environment: 'production', tenant })

    expect(NARROWED_PERMISSIONS.filter((permission) => allows(admin, permission, about('acme')))).toEqual(NARROWED_PERMISSIONS)
    expect(NARROWED_PERMISSIONS.filter((permission) => allows(admin, permission, about('globex')))).toEqual([])
    expect(NARROWED_PERMISSIONS.filter((permission) => allows(admin, permission))).toEqual([])
  })

  it('has what is narrowed only for operations that say whose it is', () => {
    const silent = operations.filter(({ operation }) => NARROWED_PERMISSIONS.includes(operation.permission) && !operation.resource)

    // These are RPC's, for deploy alone, which has asked already.
    expect(silent.map(({ name }) => name)).toEqual(['dispatcher.addDomain', 'dispatcher.listDomains', 'dispatcher.verifyDomain', 'dispatcher.removeDomain'])
  })

  it('may everything in the platform’s own', () => {
    expect(permissionsOf('admin', 'default')).toEqual(['*'])
  })
})

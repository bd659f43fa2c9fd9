import { covers, intersect, ServiceError } from '@dot-do/worker-utils'
import type { TrustRow } from './rules.ts'

/** What a job gets: within one organisation, by the rules that are about it. */
export interface Allowance {
  tenant: string
  permissions: string[]
  /** The rules it follows from, the oldest first. */
  rules: TrustRow[]
}

/**
 * What the rules give together, and no more than is asked for. Where rules of several organisations are about a job, what is asked for must be something that only
 * one of them gives, or it is not clear whose credential is meant: INVALID. FORBIDDEN where nothing is left.
 */
export function allowanceOf(rules: readonly TrustRow[], asked: readonly string[] | undefined): Allowance {
  const all = [...Map.groupBy(rules, ({ tenant }) => tenant)].map(([tenant, own]) => ({
    tenant,
    permissions: [...new Set(own.flatMap(({ permissions }) => permissions))],
    rules: own,
  }))
  const able = all.length > 1 ? all.filter(({ permissions }) => asked !== undefined && covers(permissions, asked)) : all
  const [only] = able
  if (!only || able.length > 1) throw ambiguous(all.map(({ tenant }) => tenant))
  const permissions = asked === undefined ? only.permissions : intersect(only.permissions, asked)
  if (permissions.length === 0) throw nothingLeft(only.tenant)
  return { ...only, permissions }
}

function nothingLeft(tenant: string): ServiceError {
  const message = `The rules of ${tenant} give this job none of what it asks for`
  return new ServiceError('FORBIDDEN', message, { details: [{ path: 'permissions', message }] })
}

function ambiguous(tenants: string[]): ServiceError {
  const message = `${tenants.length} organisations trust this job: ask for permissions that exactly one of them gives, such as deployments:create@*/*/…`
  return new ServiceError('INVALID', message, { details: [{ path: 'permissions', message: 'must be what exactly one organisation gives' }] })
}

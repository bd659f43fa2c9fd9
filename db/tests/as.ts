import { service } from '../src/service.ts'
import { binding, type DbInProcess } from './in-process.ts'

/** db as a Worker of a tenant with these rights sees it. */
export function as({ env }: DbInProcess, tenant = 'default', permissions = ['things:read', 'things:write']): ReturnType<typeof bound> {
  return bound(env, { principal: { id: `writer-of-${tenant}`, tenant, permissions } })
}

function bound(env: DbInProcess['env'], props: Parameters<typeof binding>[2]) {
  return binding(service, env, props)
}

/** What db offers, as tests hold it. */
export type Db = ReturnType<typeof as>

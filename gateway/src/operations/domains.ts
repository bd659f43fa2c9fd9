import { hostName } from '@dot-do/worker-contracts/published'
import { batch } from '@dot-do/worker-data/database'
import { onward, type Call } from '@dot-do/worker-kernel/call'
import { decodeCursor, pageOf, ServiceError } from '@dot-do/worker-utils'
import { refuseReservedHost } from '@dot-do/worker-utils/reserved-host'
import { DOMAIN_COLUMNS, forgetDomain, shownDomain } from '../domains.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { SERVICE_NAMES } from '../services.ts'

// Written out: Drizzle would weigh a third of the whole front door.
const STORE = `insert into gateway.domains (${DOMAIN_COLUMNS}) values ($1, $2, $3, $4)
  on conflict (host) do update set service = excluded.service returning ${DOMAIN_COLUMNS}`
const LIST = `select ${DOMAIN_COLUMNS} from gateway.domains where host > $1 order by host limit $2`
const REMOVE = `delete from gateway.domains where host = $1 returning ${DOMAIN_COLUMNS}`

export const createDomain: Operations['createDomain'] = async ({ host, service }, call) => {
  refuseReservedHost(host, call.env.HOST_SUFFIX)
  if (!SERVICE_NAMES.has(service)) throw invalid('service', `must be one of ${[...SERVICE_NAMES].join(', ')}`)
  await refusePublished(host, call)
  const [stored] = await batch(call, [{ sql: STORE, params: [host, service, new Date().toISOString(), call.principal.id] }])
  forgetDomain(host)
  return shownDomain(stored?.rows[0] ?? [])
}

export const listDomains: Operations['listDomains'] = async ({ limit, cursor }, call) => {
  const after = cursor === undefined ? '' : decodeCursor(cursor, isHost)
  const [found] = await batch(call, [{ sql: LIST, params: [after, limit + 1] }])
  return pageOf((found?.rows ?? []).map(shownDomain), limit, ({ host }) => host)
}

export const deleteDomain: Operations['deleteDomain'] = async ({ host }, call) => {
  const [removed] = await batch(call, [{ sql: REMOVE, params: [host] }])
  const row = removed?.rows[0]
  if (!row) throw new ServiceError('NOT_FOUND', `No domain ${host}`, { details: [{ path: 'host', message: 'is not there' }] })
  forgetDomain(host)
  return shownDomain(row)
}

/** A host whose owner proved it and led it to a worker is not led elsewhere over their head. */
async function refusePublished(host: string, call: Call<Env>): Promise<void> {
  const { worker } = await call.env.DISPATCHER_SERVICE.resolve({ url: host }, onward(call))
  if (worker !== null) throw new ServiceError('CONFLICT', `${host} leads to a published worker`, { details: [{ path: 'host', message: 'is taken' }] })
}

function invalid(path: string, message: string): ServiceError {
  return new ServiceError('INVALID', `${path} ${message}`, { details: [{ path, message }] })
}

function isHost(place: unknown): place is string {
  return hostName.safeParse(place).success
}

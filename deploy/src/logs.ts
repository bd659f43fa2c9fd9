import { target } from '@dot-do/worker-contracts/deployment'
import { demand } from '@dot-do/worker-kernel/identity'
import type { Call } from '@dot-do/worker-kernel/call'
import { detailsOf } from '@dot-do/worker-schemas'
import { ServiceError } from '@dot-do/worker-utils'
import * as z from 'zod'
import type { Env } from './env.ts'
import { LogStream } from './log-stream.ts'
import { placeOf } from './places.ts'
import { slotOf } from './pointers.ts'
import { tenantOf } from './tenants.ts'

const Asked = z.object(target)

/** Answers `GET /logs`: what the worker at a place writes from now on, as server-sent events. */
export async function logs(asked: Record<string, string>, call: Call<Env>): Promise<Response> {
  demand(call.principal, 'deployments:read', 'unknown')
  const { data, error } = Asked.safeParse(asked)
  if (error) throw new ServiceError('INVALID', 'The input does not fit', { details: detailsOf(error) })
  const place = placeOf(data, call.principal)
  const { service, environment, tenant } = place
  demand(call.principal, 'deployments:read', { service, environment, tenant })
  tenantOf(data.tenant, call)
  const slot = await slotOf(place, call)
  if (!slot) throw new ServiceError('NOT_FOUND', `${service} was never published in ${environment}`)
  const headers = { 'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' }
  return new Response(await new LogStream(place, call).open(slot), { headers })
}

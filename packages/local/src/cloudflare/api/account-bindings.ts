import * as z from 'zod'
import { CloudflareError, invalidUpload } from '../errors.ts'
import type { Account } from '../store/account.ts'
import type { Binding } from '../store/script.ts'
import type { Call } from './context.ts'

const name = z.string().min(1).max(255)

/** Bindings that lead to something of the account's, so that it has to be there. */
const BOUND = z.discriminatedUnion('type', [
  z.object({ type: z.literal('queue'), name, queue_name: z.string() }),
  z.object({ type: z.literal('kv_namespace'), name, namespace_id: z.string() }),
  z.object({ type: z.literal('r2_bucket'), name, bucket_name: z.string() }),
  // Which addresses may be written to and from is Cloudflare's to refuse when a mail is sent.
  z.object({
    type: z.literal('send_email'),
    name,
    destination_address: z.string().optional(),
    allowed_destination_addresses: z.array(z.string()).optional(),
    allowed_sender_addresses: z.array(z.string()).optional(),
  }),
  z.object({
    type: z.literal('dispatch_namespace'),
    name,
    namespace: z.string(),
    outbound: z.object({ worker: z.object({ service: z.string() }), params: z.array(z.object({ name: z.string() })).optional() }).optional(),
  }),
  z.object({
    type: z.literal('service'),
    name,
    service: z.string(),
    entrypoint: z.string().optional(),
    props: z.record(z.string(), z.unknown()).optional(),
  }),
])

type Bound = z.output<typeof BOUND>

const TYPES: ReadonlySet<unknown> = new Set(BOUND.options.map((option) => option.shape.type.value))

/** Whether a binding, as sent, leads to something of the account's. */
export function leadsToAccount({ type }: Record<string, unknown>): boolean {
  return TYPES.has(type)
}

/** Bindings to what the account has, as they are kept. Fails at the first that leads nowhere, and names it. */
export async function accountBindings(call: Call, account: Account, sent: readonly Record<string, unknown>[]): Promise<Binding[]> {
  const bound = sent.map(parse)
  for (const binding of bound) await refuseAbsent(call, account, binding)
  // An optional field that zod leaves undefined is left out of the JSON that is kept.
  return bound as Binding[]
}

function parse(binding: Record<string, unknown>): Bound {
  const { success, data, error } = BOUND.safeParse(binding)
  if (success) return data
  const [issue] = error.issues
  throw invalidUpload(`binding ${String(binding['name']).slice(0, 100)} of type ${String(binding['type'])}: \`${issue?.path.join('.')}\`: ${issue?.message}`)
}

async function refuseAbsent(call: Call, { state }: Account, binding: Bound): Promise<void> {
  switch (binding.type) {
    case 'queue':
      if (state.queues.some(({ queue_name }) => queue_name === binding.queue_name)) return
      throw new CloudflareError(400, 11_000, `binding ${binding.name}: Queue "${binding.queue_name}" does not exist`)
    case 'kv_namespace':
      if (state.kvNamespaces.some(({ id }) => id === binding.namespace_id)) return
      throw new CloudflareError(400, 10_041, `binding ${binding.name}: KV namespace '${binding.namespace_id}' not found`)
    case 'r2_bucket':
      if (state.buckets.some((bucket) => bucket.name === binding.bucket_name)) return
      throw new CloudflareError(400, 10_085, `binding ${binding.name}: R2 bucket '${binding.bucket_name}' not found`)
    case 'dispatch_namespace':
      if (call.context.store.getNamespace(binding.namespace) === undefined) {
        throw new CloudflareError(400, 100_119, `binding ${binding.name}: dispatch namespace '${binding.namespace}' not found`)
      }
      return binding.outbound && refuseAbsentWorker(call, binding.name, binding.outbound.worker.service)
    case 'send_email':
      return
    case 'service':
      return refuseAbsentWorker(call, binding.name, binding.service)
  }
}

/** Bindings lead to the account's Workers, also those of a script in a namespace; a Worker may be bound to itself before it is there. */
async function refuseAbsentWorker({ params, context }: Call, binding: string, service: string): Promise<void> {
  const isItself = params['namespace'] === undefined && params['script'] === service
  if (isItself || (context.accountNamespace !== undefined && (await context.store.getScript(context.accountNamespace, service)))) return
  throw new CloudflareError(
    400,
    10_143,
    `Could not resolve service binding '${binding}'. Target script '${service}' not found. Please verify the target and try again.`,
  )
}

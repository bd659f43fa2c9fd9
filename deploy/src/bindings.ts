import type { Content } from './content.ts'
import type { Place } from './places.ts'
import { refusal } from './refusal.ts'
import type { ApiBinding } from './scripts-api.ts'
import type { OpenSecret } from './secrets.ts'
import type { PublishedBinding } from './settings.ts'

/** Entrypoints of the dispatcher that hand out what belongs to a tenant; its props are written here and nowhere else. */
const ENTRYPOINTS = { db: 'TenantDb', kv: 'TenantKv', bucket: 'TenantBucket' } as const

/** What a script finds in its env: variables, secrets, and what of the platform belongs to its tenant. INVALID where a secret would take another's name. */
export function bindingsOf({ vars, bindings }: Pick<Content, 'vars' | 'bindings'>, place: Place, secrets: readonly OpenSecret[]): ApiBinding[] {
  const taken = secrets.find(({ name }) => Object.hasOwn(vars, name) || bindings.some((binding) => binding.name === name))
  if (taken)
    throw refusal(Object.hasOwn(vars, taken.name) ? `vars.${taken.name}` : 'bindings', `is the name of a secret in ${place.environment}: ${taken.name}`)
  return [
    ...Object.entries(vars).map(([name, value]) =>
      typeof value === 'string' ? { type: 'plain_text', name, text: value } : { type: 'json', name, json: value },
    ),
    ...secrets.map(({ name, text }) => ({ type: 'secret_text', name, text })),
    ...bindings.map((binding) => platformBinding(binding, place)),
  ]
}

function platformBinding(binding: PublishedBinding, { tenant, service, environment }: Place): ApiBinding {
  const { name, type } = binding
  const lent = { type: 'service', name, service: 'dispatcher' }
  if (type === 'worker') return { ...lent, entrypoint: 'Sibling', props: { tenant, worker: binding.service, environment } }
  return { ...lent, entrypoint: ENTRYPOINTS[type], props: { tenant, worker: service } }
}

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/** An event as `applyDirectoryEvent` takes it. */
export interface Event {
  id: string
  event: DirectoryEventName
  createdAt: string
  data: Record<string, unknown>
}

export type DirectoryEventName =
  | 'dsync.activated'
  | 'dsync.deleted'
  | 'dsync.user.created'
  | 'dsync.user.updated'
  | 'dsync.user.deleted'
  | 'dsync.group.created'
  | 'dsync.group.updated'
  | 'dsync.group.deleted'
  | 'dsync.group.user_added'
  | 'dsync.group.user_removed'

interface Schema {
  $ref?: string
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  example?: unknown
  properties?: Record<string, Schema>
  items?: Schema
  oneOf?: Schema[]
  allOf?: Schema[]
}

/** Events with WorkOS' own examples for every field, from its published description, by name. */
export async function workosExamples(): Promise<Map<string, Pick<Event, 'event' | 'data'>>> {
  const file = fileURLToPath(import.meta.resolve('@workos/openapi-spec/spec'))
  const document = parse(await readFile(file, 'utf8'), { maxAliasCount: -1 }) as { components: { schemas: Record<string, Schema> } }
  const found = new Map<string, Pick<Event, 'event' | 'data'>>()
  const example = (schema: Schema): unknown => {
    if (schema.$ref) return example(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {})
    if (schema.const !== undefined) return schema.const
    if (schema.example !== undefined) return schema.example
    if (schema.enum) return schema.enum[0]
    if (schema.items) return [example(schema.items)]
    if (schema.properties) return Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, example(property)]))
    return schema.oneOf?.[0] ? example(schema.oneOf[0]) : schema.type === 'object' ? {} : null
  }
  const search = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { properties } = value as Schema // whatever has an event and its data among its properties describes one
    const event = properties?.['event']?.const
    const data = properties?.['data']
    if (typeof event === 'string' && event.startsWith('dsync.') && data) {
      found.set(event, { event: event as DirectoryEventName, data: example(data) as Record<string, unknown> })
    } else for (const nested of Object.values(value)) search(nested)
  }
  search(document)
  return found
}

/** Events of one directory, each a second after the one before, in the shape of WorkOS' examples. */
export class Directory {
  readonly id: string
  #at = Date.parse('2026-01-01T00:00:00Z')
  #count = 0

  constructor(id = 'directory_1') {
    this.id = id
  }

  user(what: 'created' | 'updated' | 'deleted', name: string, more: Record<string, unknown> = {}): Event {
    return this.#event(`dsync.user.${what}`, this.#person(name, more))
  }

  group(what: 'created' | 'updated' | 'deleted', id: string, name = id): Event {
    return this.#event(`dsync.group.${what}`, this.#group(id, name))
  }

  membership(what: 'user_added' | 'user_removed', name: string, group: string): Event {
    return this.#event(`dsync.group.${what}`, { directory_id: this.id, user: this.#person(name, {}), group: this.#group(group, group) })
  }

  directory(what: 'activated' | 'deleted'): Event {
    return this.#event(`dsync.${what}`, { object: 'directory', id: this.id, state: what === 'deleted' ? 'deleting' : 'active', name: 'Acme' })
  }

  #person(name: string, more: Record<string, unknown>): Record<string, unknown> {
    const given = { first_name: name, last_name: 'Example', state: 'active', email: `${name}@example.com` }
    return {
      object: 'directory_user',
      id: `directory_user_${name}`,
      directory_id: this.id,
      idp_id: name,
      raw_attributes: {},
      custom_attributes: {},
      ...given,
      ...more,
    }
  }

  #group(id: string, name: string): Record<string, unknown> {
    return { object: 'directory_group', id: `directory_group_${id}`, directory_id: this.id, idp_id: id, name }
  }

  #event(event: DirectoryEventName, data: Record<string, unknown>): Event {
    this.#count += 1
    const createdAt = new Date(this.#at + this.#count * 1_000).toISOString()
    return { id: `event_${String(this.#count).padStart(26, '0')}`, event, createdAt, data }
  }
}

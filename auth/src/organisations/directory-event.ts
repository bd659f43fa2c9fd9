import { email as address } from '@dot-do/worker-contracts/identity'
import { detailsOf } from '@dot-do/worker-schemas'
import { ServiceError } from '@dot-do/worker-utils'
import * as z from 'zod'

/** What an event says, put in order; what it is not about is absent. */
export interface DirectoryEvent {
  directory: string
  person?: { id: string; email: string | null; name: string; isActive: boolean }
  group?: { id: string; name: string; isDeleted: boolean }
  /** Whether the person is in the group now; absent where the event is about one of the two. */
  isMember?: boolean
  /** Whether the provider keeps the directory no more; absent where the event is not about the directory itself. */
  isEnded?: boolean
}

const id = z.string().min(1).max(255)
const maybe = z.string().nullish()

/** What is read of WorkOS' shapes (https://workos.com/docs/events/directory-sync); whatever else there is, is left alone. */
const Person = z.object({
  id,
  directory_id: id,
  email: maybe,
  name: maybe,
  first_name: maybe,
  last_name: maybe,
  state: z.enum(['active', 'suspended', 'inactive']),
})
const Group = z.object({ id, directory_id: id, name: z.string().max(1_000) })
const Directory = z.object({ id })
const Membership = z.object({ directory_id: id, user: Person, group: Group })

/** Reads an event by its name. INVALID, with the field, for one that does not have the shape of its name. */
export function readDirectoryEvent(event: string, data: unknown): DirectoryEvent {
  const [, about = '', what = ''] = /^dsync\.(user|group|)\.?(\w+)$/.exec(event) ?? []
  if (what === 'user_added' || what === 'user_removed') {
    const { directory_id: directory, user, group } = read(Membership, data)
    return { directory, person: personOf(user, true), group: groupOf(group, false), isMember: what === 'user_added' }
  }
  if (about === 'user') {
    const person = read(Person, data)
    return { directory: person.directory_id, person: personOf(person, what !== 'deleted') }
  }
  if (about === 'group') {
    const group = read(Group, data)
    return { directory: group.directory_id, group: groupOf(group, what === 'deleted') }
  }
  return { directory: read(Directory, data).id, isEnded: what === 'deleted' }
}

function personOf(person: z.output<typeof Person>, isThere: boolean): NonNullable<DirectoryEvent['person']> {
  const email = address.safeParse(person.email?.trim().toLowerCase())
  const name = person.name ?? [person.first_name, person.last_name].filter(Boolean).join(' ')
  return { id: person.id, email: email.success ? email.data : null, name: name.slice(0, 200).toWellFormed(), isActive: isThere && person.state === 'active' }
}

function groupOf({ id: group, name }: z.output<typeof Group>, isDeleted: boolean): NonNullable<DirectoryEvent['group']> {
  return { id: group, name, isDeleted }
}

function read<Schema extends z.ZodType>(schema: Schema, data: unknown): z.output<Schema> {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const details = detailsOf(parsed.error).map(({ path, message }) => ({ path: path === '' ? 'data' : `data.${path}`, message }))
  throw new ServiceError('INVALID', 'The event does not have the shape of its name', { details })
}

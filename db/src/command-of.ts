import type { Principal } from '@dot-do/worker-types'
import { generateId, namespaceFor, toKebabCase } from '@dot-do/worker-utils'
import type { RelationshipCommand, ThingCommand } from './commands.ts'
import type { Operations } from './operations.ts'
import { relationshipIdOf } from './relationships.ts'

/** Who asks, and where the input stands in theirs: empty, or `commands.3.input.`. */
export interface Asker {
  principal: Principal
  path: string
}

type Input<Name extends keyof Operations> = Parameters<Operations[Name]>[0]

/** What changes things and relationships, by name: the command that an input makes. The ids are made here, so that all is known before any of it is written. */
export const commandOf = {
  upsert({ $type, $id, ns, content, data, visibility, ifVersion }: Input<'upsert'>, { principal, path }: Asker): ThingCommand {
    const id = $id ?? generateId('').replace('_', `${toKebabCase($type)}/`)
    return { operation: 'upsert', ns: namespaceFor(principal, ns), id, type: $type, content, data, visibility, ifVersion, path }
  },
  update({ id, ns, $type, ...changed }: Input<'update'>, { principal, path }: Asker): ThingCommand {
    return { operation: 'update', ns: namespaceFor(principal, ns), id, type: $type, ...changed, path }
  },
  delete({ id, ns, ifVersion }: Input<'delete'>, { principal, path }: Asker): ThingCommand {
    return { operation: 'delete', ns: namespaceFor(principal, ns), id, ifVersion, path }
  },
  restore({ id, ns, version, ifVersion }: Input<'restore'>, { principal, path }: Asker): ThingCommand {
    return { operation: 'restore', ns: namespaceFor(principal, ns), id, version, ifVersion, path }
  },
  relate({ ns, from, predicate, to, data, ifVersion }: Input<'relate'>, { principal, path }: Asker): Promise<RelationshipCommand> {
    return relationshipCommand({ operation: 'relate', ns: namespaceFor(principal, ns), from, predicate, to, data, ifVersion, path })
  },
  unrelate({ ns, from, predicate, to, ifVersion }: Input<'unrelate'>, { principal, path }: Asker): Promise<RelationshipCommand> {
    return relationshipCommand({ operation: 'unrelate', ns: namespaceFor(principal, ns), from, predicate, to, ifVersion, path })
  },
}

async function relationshipCommand(command: Omit<RelationshipCommand, 'id'>): Promise<RelationshipCommand> {
  return { ...command, id: await relationshipIdOf(command) }
}

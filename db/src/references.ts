import { ServiceError } from '@dot-do/worker-utils'

/** What a command of a batch made, as later ones refer to it: a thing by `$id`, a relationship by `id`. */
export interface Made {
  field: '$id' | 'id'
  id: string
}

const REFERENCE = /^(\d{1,2})\.(\$?id)$/

/**
 * An input with ids where it has references to them, however deep. Only what earlier commands made can be referred to: `made` has as many as there are.
 * INVALID, with the reference's path below `path`, for one that leads nowhere.
 */
export function resolveReferences<Input>(input: Input, made: readonly Made[], path: string): Resolved<Input> {
  return resolved(input, made, path) as Resolved<Input> // each reference became a text, all else is as it was
}

/** An input whose references are texts. */
export type Resolved<Input> = Input extends { $result: string }
  ? string
  : Input extends Record<string, unknown>
    ? { [Key in keyof Input]: Resolved<Input[Key]> }
    : Input

function resolved(value: unknown, made: readonly Made[], path: string): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((element, index) => resolved(element, made, `${path}.${index}`))
  const entries = Object.entries(value)
  const [only] = entries
  if (entries.length === 1 && only?.[0] === '$result' && typeof only[1] === 'string') {
    const [, command, field] = REFERENCE.exec(only[1]) ?? []
    if (command !== undefined) return referred({ command: Number(command), field }, made, path)
  }
  return Object.fromEntries(entries.map(([key, member]) => [key, resolved(member, made, `${path}.${key}`)]))
}

function referred({ command, field }: { command: number; field: string | undefined }, made: readonly Made[], path: string): string {
  const target = made[command]
  if (!target) throw invalid(path, 'Must refer to an earlier command')
  if (target.field === field) return target.id
  throw invalid(path, `Must be ${command}.${target.field}: that command is about a ${target.field === 'id' ? 'relationship' : 'thing'}`)
}

function invalid(path: string, message: string): ServiceError {
  return new ServiceError('INVALID', message, { details: [{ path, message }] })
}

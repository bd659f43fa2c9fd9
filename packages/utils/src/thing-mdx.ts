import type { JsonValue } from './canonical-json.ts'
import { parseMdx, printMdx } from './mdx.ts'
import { ServiceError } from './service-error.ts'

/** A thing as a text of its own says it. */
export interface WrittenThing {
  $id: string
  $type: string
  visibility: 'private' | 'public'
  data: Record<string, JsonValue>
  content: string
}

/** Fields that say something of the thing; a field of its data that is called so stands under `$data`. */
const OWN = new Set(['$id', '$type', 'visibility', '$data'])

/** Writes a thing as MDX: type, visibility when it is public, the fields of its data, its content. The id is told only if it is not the one that its place says. */
export function printThing({ $id, $type, visibility, data, content }: WrittenThing, placedId: string): string {
  const fields = Object.entries(data)
  const hidden = fields.filter(([name]) => OWN.has(name))
  const frontmatter = {
    ...($id === placedId ? {} : { $id }),
    $type,
    ...(visibility === 'public' ? { visibility } : {}),
    ...Object.fromEntries(fields.filter(([name]) => !OWN.has(name))),
    ...(hidden.length > 0 ? { $data: Object.fromEntries(hidden) } : {}),
  }
  return printMdx({ frontmatter, content })
}

/** Reads a thing from MDX; its id is the one its place says unless it tells another. INVALID, naming the field, for one without a type. Whether it can be stored is not judged. */
export function parseThing(text: string, placedId: string): WrittenThing {
  const { frontmatter, content } = parseMdx(text)
  const { $id = placedId, $type, visibility = 'private', $data = {}, ...fields } = frontmatter
  if (typeof $type !== 'string') throw refused('$type', $type === undefined ? 'is missing' : 'must be text')
  if (typeof $id !== 'string') throw refused('$id', 'must be text')
  if (visibility !== 'private' && visibility !== 'public') throw refused('visibility', 'must be private or public')
  if (typeof $data !== 'object' || $data === null || Array.isArray($data)) throw refused('$data', 'must be fields with values')
  return { $id, $type, visibility, data: { ...fields, ...$data }, content }
}

function refused(path: string, message: string): ServiceError {
  return new ServiceError('INVALID', `${path} ${message}`, { details: [{ path, message }] })
}

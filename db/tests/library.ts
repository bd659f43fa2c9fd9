import type { Env } from '../src/env.ts'
import { service } from '../src/service.ts'
import { binding, owned, type DbInProcess } from './in-process.ts'

/** What a test writes of a thing it will look for. */
export interface Written {
  id: string
  type?: string
  title?: string
  content?: string
  data?: Record<string, unknown>
}

/** Some things to look for. */
export const LIBRARY: Written[] = [
  { id: 'animal/zebra', type: 'Animal', title: 'Zebra', content: 'An animal with stripes that lives in Africa and eats grass.', data: { legs: 4 } },
  { id: 'animal/heron', type: 'Animal', title: 'Heron', content: 'A bird with long legs that stands in water and eats fish.', data: { legs: 2 } },
  { id: 'animal/ant', type: 'Animal', title: 'Ant', content: 'It lives in colonies and carries many times its weight.', data: { legs: 6 } },
  { id: 'place/savanna', type: 'Place', title: 'Savanna', content: 'Grass as far as one sees; a zebra now and then, and lions.', data: {} },
  { id: 'recipe/soup', type: 'Recipe', title: 'Soup of the day', content: 'Boil water, add vegetables, wait.', data: { minutes: 30 } },
]

/** Writes things into a namespace and makes all embeddings that are missing. */
export async function write(running: DbInProcess, things: Written[], ns = 'default'): Promise<void> {
  const writer = binding(service, running.env, { principal: { id: 'writer', tenant: ns, permissions: ['things:write', 'db:maintain'] } })
  const lines = things.map(({ id, type = 'Note', title, content = '', data = {} }) => ({
    $id: id,
    $type: type,
    content,
    data: title === undefined ? data : { title, ...data },
  }))
  for (let first = 0; first < lines.length; first += 1_000) await writer.import({ lines: lines.slice(first, first + 1_000) })
  for (let missing = 1; missing > 0;) ({ missing } = await writer.generateMissingEmbeddings({ limit: 1_000 }))
}

/** The ids of what was found, best first. */
export function idsOf({ items }: { items: { thing: { $id: string } }[] }): string[] {
  return items.map(({ thing }) => thing.$id)
}

/** What embeddings are kept: id, model, version, and whether there is a vector. */
export function keptEmbeddings({ database }: DbInProcess): Promise<(string | null)[][]> {
  return owned(database, 'select id, model, version, embedding is not null from db.embeddings order by ns, id')
}

/** The env with Workers AI bound, answering as told. */
export function withModel({ env }: DbInProcess, run: (texts: string[]) => unknown): Env {
  return { ...env, AI: { run: (_model: string, { text }: { text: string[] }) => Promise.resolve(run(text)) } as unknown as Ai } // of the binding, nothing but run is used
}

/** A vector along one axis. */
export function axis(place: number): number[] {
  return Array.from({ length: 384 }, (_, index) => (index === place ? 1 : 0))
}

/** SQL by which the owner writes as many things as told, without embeddings; `content` is SQL over the number n. */
export function manyThings(count: number, content: string): string {
  return `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
    select 'default', 'n/' || n, 'Note', ${content}, jsonb_build_object('number', n), 'private', 1, now(), now() from generate_series(0, ${count - 1}) n`
}

import type { Engine } from '../../packages/data/src/engines/engine.ts'
import { hashedEmbedding, HASHING_MODEL } from '../../db/src/embedder.ts'
import type { SyntheticThing } from './synthetic.ts'

const NS = 'default'
const PART = 500

/** Fills an empty database: rows first and indexes after, since an index that is built at once takes a tenth of the time. */
export async function fill(engine: Engine, things: Iterable<SyntheticThing>): Promise<void> {
  const [words] = await engine.batch(null, [{ sql: `select indexdef from pg_indexes where schemaname = 'db' and indexname = 'things_by_words'`, params: [] }])
  await engine.script('drop index db.things_by_words, db.embeddings_by_nearness')
  let part: SyntheticThing[] = []
  for (const thing of things) {
    if (part.push(thing) < PART) continue
    await insert(engine, part)
    part = []
  }
  if (part.length > 0) await insert(engine, part)
  await engine.script(`set local maintenance_work_mem = '600MB'; ${words?.rows[0]?.[0]}; call db.add_vectors()`)
}

async function insert(engine: Engine, things: readonly SyntheticThing[]): Promise<void> {
  const insertThings = `insert into db.things (ns, id, type, content, data, visibility, version, created_at, updated_at)
    select '${NS}', id, type, content, jsonb_build_object('title', title, 'year', year), 'private', 1, now(), now()
    from jsonb_to_recordset($1::jsonb) made(id text, type text, title text, content text, year integer)`
  const [, meant] = await engine.batch(null, [
    { sql: insertThings, params: [JSON.stringify(things)] },
    { sql: 'select id, db.meaning_of(t) from db.things t where ns = $1 and id = any($2::text[])', params: [NS, things.map(({ id }) => id)] },
  ])
  const embeddings = (meant?.rows ?? []).map(([id, text]) => ({ id, embedding: `[${hashedEmbedding(text ?? '')?.join(',')}]` }))
  const insertEmbeddings = `insert into db.embeddings (ns, id, model, version, embedding)
    select '${NS}', id, '${HASHING_MODEL}', 1, embedding::extensions.vector from jsonb_to_recordset($1::jsonb) made(id text, embedding text)`
  await engine.batch(null, [{ sql: insertEmbeddings, params: [JSON.stringify(embeddings)] }])
}

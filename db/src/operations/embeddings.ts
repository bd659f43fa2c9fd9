import { namespaceFor, ServiceError } from '@dot-do/worker-utils'
import { connectionAs } from '../database.ts'
import { currentModel, demandVectors, embedMissing, keep, meaningOf } from '../embedding.ts'
import { findMeaning } from '../embeddings.ts'
import type { Operations } from '../operations.ts'

export const embed: Operations['embed'] = async ({ ns, id }, { env, principal }) => {
  const owner = namespaceFor(principal, ns)
  await demandVectors(env)
  const connection = await connectionAs('db', env)
  const [found] = await connection([findMeaning(owner, id)])
  const [meaning] = (found?.rows ?? []).map(meaningOf)
  if (!meaning) throw new ServiceError('NOT_FOUND', `No thing ${id}`)
  await keep([meaning], env)
  return { model: currentModel(env), version: meaning.version }
}

/** So many things are in memory at a time. */
const PART_THINGS = 200

export const generateMissingEmbeddings: Operations['generateMissingEmbeddings'] = async ({ limit }, { env }) => {
  await demandVectors(env)
  const done = { made: 0, missing: 0 }
  while (done.made < limit) {
    const { made, missing } = await embedMissing(Math.min(PART_THINGS, limit - done.made), env)
    done.made += made
    done.missing = missing
    if (made === 0 || missing === 0) break
  }
  return done
}

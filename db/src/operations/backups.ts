import { decodeCursor, pageOf } from '@dot-do/worker-utils'
import { backupText } from '../backup/backup-text.ts'
import { copyKey, forgetExpired, label, readLabels } from '../backup/shelf.ts'
import { uploadGzipped } from '../backup/upload.ts'
import { momentOf } from '../moment.ts'
import type { Operations } from '../operations.ts'

export const backup: Operations['backup'] = async (_input, { env }) => {
  // Loaded here: it speaks by sockets that only workerd has.
  const { openSession } = await import('../connections.ts')
  const at = new Date().toISOString()
  const key = copyKey(at)
  const text = backupText(at, env, (role) => openSession(role, env))
  const { sizeBytes, answer } = await uploadGzipped(text, key, env.DB_BUCKET)
  const made = { key, at, sizeBytes, ...answer }
  await label(made, env.DB_BUCKET)
  await forgetExpired(at, env.DB_BUCKET)
  return made
}

export const listBackups: Operations['listBackups'] = async ({ limit, cursor }, { env }) => {
  const before = cursor === undefined ? undefined : decodeCursor(cursor, isMoment)
  return pageOf(await readLabels({ before, limit }, env.DB_BUCKET), limit, ({ at }) => at)
}

function isMoment(place: unknown): place is string {
  return typeof place === 'string' && momentOf(place) !== undefined
}

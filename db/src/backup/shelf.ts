import type { Backup } from '@dot-do/worker-contracts/db-maintenance'
import { ServiceError } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { expiredCopies } from './retention.ts'

/** A copy as its label tells. */
export type KeptBackup = z.output<typeof Backup>

/** Copies lie in the bucket as `backups/<time>.ndjson.gz`. Beside each that is whole is its label, `backups/<time>.json`, written last and removed first. */
const PREFIX = 'backups/'
const [COPY, LABEL] = ['.ndjson.gz', '.json']

/** R2 lists a thousand names at a time; more than this many thousands are nobody's copies of fourteen days and twelve months. */
const MAX_LISTS = 20

/** A copy that has no label after so long never gets one. */
const ABANDONED_MS = 86_400_000

/** What a copy of a time is called. */
export const copyKey = (at: string): string => `${PREFIX}${at.replaceAll(':', '-')}${COPY}`

const labelKey = (at: string): string => `${PREFIX}${at.replaceAll(':', '-')}${LABEL}`

/** The time in a name, `2026-11-21T03-00-00.000Z`, as a time; undefined for another name. */
function timeOf(key: string, suffix: string): string | undefined {
  const [, day, hour, minute, rest] = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-([\d.]+Z)$/.exec(key.slice(PREFIX.length, -suffix.length)) ?? []
  return key.endsWith(suffix) && day !== undefined ? `${day}T${hour}:${minute}:${rest}` : undefined
}

/** Makes a copy known. */
export async function label(backup: KeptBackup, bucket: R2Bucket): Promise<void> {
  await bucket.put(labelKey(backup.at), JSON.stringify(backup), { httpMetadata: { contentType: 'application/json' } })
}

/** The copies that are whole, newest first, beginning before a time. One more than asked for, where there are, tells that there are more. */
export async function readLabels({ before, limit }: { before: string | undefined; limit: number }, bucket: R2Bucket): Promise<KeptBackup[]> {
  const times = (await listKeys(bucket)).flatMap(({ key }) => timeOf(key, LABEL) ?? [])
  const wanted = times
    .filter((time) => before === undefined || time < before)
    .toSorted()
    .toReversed()
    .slice(0, limit + 1)
  const labels = await Promise.all(wanted.map(async (time) => (await bucket.get(labelKey(time)))?.json<KeptBackup>()))
  // One that was removed meanwhile is not there.
  return labels.filter((found) => found !== undefined)
}

/** A copy by its name, to be read. NOT_FOUND where there is none, or none that is whole. */
export async function openCopy(name: string, bucket: R2Bucket): Promise<R2ObjectBody> {
  const time = timeOf(PREFIX + name, COPY)
  const [copy, labelled] = time === undefined ? [] : await Promise.all([bucket.get(copyKey(time)), bucket.head(labelKey(time))])
  if (copy && labelled) return copy
  await copy?.body.cancel()
  throw new ServiceError('NOT_FOUND', `No backup ${name}`)
}

/** Removes copies that are too old, and what interrupted ones left. */
export async function forgetExpired(now: string, bucket: R2Bucket): Promise<void> {
  const listed = await listKeys(bucket)
  const labelled = new Set(listed.flatMap(({ key }) => timeOf(key, LABEL) ?? []))
  const expired = expiredCopies([...labelled], now)
  const isAbandoned = (uploaded: Date): boolean => uploaded.getTime() < Date.parse(now) - ABANDONED_MS
  const left = listed.flatMap(({ key, uploaded }) => {
    const time = timeOf(key, COPY)
    return time !== undefined && !labelled.has(time) && isAbandoned(uploaded) ? [key] : []
  })
  await remove(expired.map(labelKey), bucket)
  await remove([...expired.map(copyKey), ...left], bucket)
}

async function remove(keys: string[], bucket: R2Bucket): Promise<void> {
  for (let at = 0; at < keys.length; at += 1000) await bucket.delete(keys.slice(at, at + 1000))
}

async function listKeys(bucket: R2Bucket): Promise<R2Object[]> {
  const found: R2Object[] = []
  let cursor: string | undefined
  for (let count = 0; count < MAX_LISTS; count++) {
    const page = await bucket.list({ prefix: PREFIX, ...(cursor !== undefined && { cursor }) })
    found.push(...page.objects)
    if (!page.truncated) break
    cursor = page.cursor
  }
  return found
}

import { batch } from '@dot-do/worker-data/database'
import { placeInList } from '@dot-do/worker-utils/place-in-list'
import { pageOf } from '@dot-do/worker-utils'
import type { Operations } from '../operations.ts'

/** Somebody who waits, as it is shown. */
type Entry = Awaited<ReturnType<Operations['listWaitlist']>>['items'][number]

const STORE = 'insert into gateway.waitlist (email, host, created_at) values ($1, $2, $3) on conflict do nothing'
const LIST =
  'select email, host, created_at from gateway.waitlist where (created_at, email) < ($1::timestamptz, $2) order by created_at desc, email desc limit $3'
const REMOVE = 'delete from gateway.waitlist where email = $1 returning email'

/** Comes before everybody who waits. */
const START: [createdAt: string, email: string] = ['infinity', '']

export const joinWaitlist: Operations['joinWaitlist'] = async ({ email, host }, call) => {
  await batch(call, [{ sql: STORE, params: [email.toLowerCase(), host, new Date().toISOString()] }])
  return { joined: true }
}

export const listWaitlist: Operations['listWaitlist'] = async ({ limit, cursor }, call) => {
  const after = cursor === undefined ? START : placeInList(cursor)
  const [found] = await batch(call, [{ sql: LIST, params: [...after, limit + 1] }])
  return pageOf((found?.rows ?? []).map(shownEntry), limit, ({ createdAt, email }) => [createdAt, email])
}

export const deleteFromWaitlist: Operations['deleteFromWaitlist'] = async ({ email }, call) => {
  const [deleted] = await batch(call, [{ sql: REMOVE, params: [email.toLowerCase()] }])
  return { deleted: (deleted?.rows ?? []).length > 0 }
}

function shownEntry([email, host, createdAt]: unknown[]): Entry {
  return { email: String(email), host: String(host), createdAt: new Date(String(createdAt)).toISOString() }
}

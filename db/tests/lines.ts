import { callOf, type Call } from '@dot-do/worker-kernel/call'
import type { AnyImplemented } from '@dot-do/worker-kernel/implement'
import type { Env } from '../src/env.ts'
import { exportLines, importBody } from '../src/lines.ts'
import { service } from '../src/service.ts'
import { as } from './as.ts'
import type { DbInProcess } from './in-process.ts'

const { observed: _observed, ...quiet } = service

/** db without tracking, whose spool there is on workerd only. */
export const untracked = quiet as unknown as AnyImplemented<Env> // implement() checked operation against contract, name by name

/** A line, or whatever else is JSON. */
export type Loose = Record<string, unknown>

/** A call over HTTP, as a tenant with these permissions makes it. */
export function callAs({ env }: DbInProcess, tenant = 'default', permissions = ['things:read', 'things:write'], idempotencyKey?: string): Call<Env> {
  const options = idempotencyKey === undefined ? {} : { idempotencyKey }
  return callOf({ env, props: { principal: { id: `of-${tenant}`, tenant, permissions } }, waitUntil: () => undefined }, 'http', options)
}

/** Reads an export to its end; after the first chunk `meanwhile` runs. */
export async function readExport(call: Call<Env>, query: Record<string, string> = {}, meanwhile?: () => Promise<unknown>) {
  const answer = await exportLines(query, call)
  let text = ''
  const decoder = new TextDecoder()
  let wait = meanwhile
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    await wait?.()
    wait = undefined
  }
  const lines = text.split('\n')
  return { headers: answer.headers, text, rest: lines.pop(), lines: lines.map((line) => JSON.parse(line) as Loose) }
}

/** What comes to `POST /import.ndjson`. */
export interface Sent {
  call: Call<Env>
  headers?: Record<string, string>
  query?: string
}

/** Imports a body, or lines that make one; the operation's answer. */
export async function sendImport(
  body: string | Uint8Array<ArrayBuffer> | Loose[],
  { call, headers = { 'content-type': 'application/x-ndjson' }, query = '' }: Sent,
): Promise<Loose> {
  const text = Array.isArray(body) ? body.map((line) => `${JSON.stringify(line)}\n`).join('') : body
  const answer = await importBody(new Request(`http://db/import.ndjson${query}`, { method: 'POST', headers, body: text }), call, untracked)
  return ((await answer.json()) as { data: Loose }).data
}

/** A note as a line says it. */
export const note = ($id: string, more: Loose = {}): Loose => ({ $id, $type: 'Note', content: '', data: {}, visibility: 'private', ...more })

/** Things and a relationship, among things that are deleted or another's. */
export async function fillForExport(running: DbInProcess): Promise<void> {
  const db = as(running)
  await db.upsert({ $type: 'Note', $id: 'note/b', content: 'Ünï\n漢字', data: { n: [1, null, { deep: true }] }, visibility: 'public' })
  await db.upsert({ $type: 'Page', $id: 'page/a', content: '---' })
  await db.upsert({ $type: 'Note', $id: 'note/gone' })
  await db.relate({ from: 'note/b', predicate: 'in', to: 'page/a', data: { at: 1 } })
  await db.relate({ from: 'note/b', predicate: 'in', to: 'note/gone' })
  await db.delete({ id: 'note/gone' })
  await as(running, 'other').upsert({ $type: 'Note', $id: 'theirs' })
}

/** The lines that these make. */
export const FILLED: Loose[] = [
  { $id: 'note/b', $type: 'Note', content: 'Ünï\n漢字', data: { n: [1, null, { deep: true }] }, visibility: 'public' },
  { $id: 'page/a', $type: 'Page', content: '---', data: {}, visibility: 'private' },
  { from: 'note/b', predicate: 'in', to: 'page/a', data: { at: 1 } },
]

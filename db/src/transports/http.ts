import { NeonDbError } from '@neondatabase/serverless'
import { rolePassword } from '@dot-do/worker-data/role-password'
import type { Rows, Statement, TextRows } from '../database.ts'
import type { Env } from '../env.ts'
import { demandCarriable, timedOut, TIMEOUT_MS } from './limits.ts'
import { encodeValue, parseRows } from './values.ts'

/** Neon answers one query with its rows, and a batch with those of each. */
type Answer = TextRows & { results: TextRows[] }

/** Statements over Neon's HTTP endpoint: one request for each batch. */
export async function httpConnection(role: string, env: Env): Promise<(statements: Statement[], isReadOnly: boolean) => Promise<Rows[]>> {
  const url = new URL(env.DATABASE_URL)
  url.username = role
  url.password = await rolePassword(env.DB_ROLE_SECRET, role)
  const headers = { 'Neon-Connection-String': url.href.replace(/^postgres:/, 'postgresql:'), 'Neon-Raw-Text-Output': 'true', 'Neon-Array-Mode': 'true' }
  const readOnlyHeaders = { ...headers, 'Neon-Batch-Read-Only': 'true' }
  const { DATABASE } = env
  const endpoint = endpointOf(url)
  const post = DATABASE ? (init: RequestInit) => DATABASE.fetch('http://database/sql', init) : (init: RequestInit) => fetch(endpoint, init)
  return async (statements, isReadOnly) => {
    const queries = statements.map(({ sql, params }) => ({ query: sql, params: params.map(encodeValue) }))
    const isSingle = queries.length === 1 && !isReadOnly
    const body = JSON.stringify(isSingle ? queries[0] : { queries })
    const text = await exchange(post, { method: 'POST', body, headers: isReadOnly ? readOnlyHeaders : headers })
    const answer = JSON.parse(text) as Answer // Neon's protocol, as the type says
    const results = isSingle ? [rowsOf(answer)] : answer.results.map(rowsOf)
    demandCarriable(results, text.length)
    return results
  }
}

/** Posts and reads the answer, in fifteen seconds. A timer that is taken back costs less than AbortSignal.timeout, which runs to its end. */
async function exchange(post: (init: RequestInit) => Promise<Response>, init: RequestInit): Promise<string> {
  const giving = new AbortController()
  const timer = setTimeout(() => giving.abort(timedOut()), TIMEOUT_MS)
  try {
    const answer = await post({ ...init, signal: giving.signal })
    const text = await answer.text()
    if (!answer.ok) throw refusal(answer.status, text)
    return text
  } finally {
    clearTimeout(timer)
  }
}

/** Neon answers HTTP on the host's name with `api` in place of its first label. */
function endpointOf({ hostname }: URL): string {
  return `https://${hostname.replace(/^[^.]+\./, 'api.')}/sql`
}

/** PostgreSQL's own fields lie beside the message. */
function refusal(status: number, text: string): NeonDbError {
  if (status !== 400) return new NeonDbError(`The database's endpoint answered ${status}`)
  const { message, ...fields } = JSON.parse(text) as { message: string } // Neon's protocol: 400 is PostgreSQL's own error
  return Object.assign(new NeonDbError(message), fields)
}

function rowsOf({ command, rowCount, fields, rows }: TextRows): Rows {
  return { command, rowCount, fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })), rows: parseRows(fields, rows) }
}

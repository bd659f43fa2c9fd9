import { NeonDbError } from '@neondatabase/serverless'
import { rolePassword } from '@dot-do/worker-data/role-password'
import type { Rows, Statement, TextRows } from '../database.ts'
import type { Env } from '../env.ts'
import { demandCarriable, TIMEOUT_MS } from './limits.ts'
import { encodeValue, parseRows } from './values.ts'

/** Statements over Neon's HTTP endpoint: one request for each batch. */
export async function httpConnection(role: string, env: Env): Promise<(statements: Statement[], isReadOnly: boolean) => Promise<Rows[]>> {
  const url = new URL(env.DATABASE_URL)
  url.username = role
  url.password = await rolePassword(env.DB_ROLE_SECRET, role)
  const headers = { 'Neon-Connection-String': url.href.replace(/^postgres:/, 'postgresql:'), 'Neon-Raw-Text-Output': 'true', 'Neon-Array-Mode': 'true' }
  const { DATABASE } = env
  const post = DATABASE ? (init: RequestInit) => DATABASE.fetch('http://database/sql', init) : (init: RequestInit) => fetch(endpointOf(url), init)
  return async (statements, isReadOnly) => {
    const [first, ...others] = statements.map(({ sql, params }) => ({ query: sql, params: params.map(encodeValue) }))
    const isSingle = others.length === 0 && !isReadOnly
    const answer = await post({
      method: 'POST',
      body: JSON.stringify(isSingle ? first : { queries: [first, ...others] }),
      headers: isReadOnly ? { ...headers, 'Neon-Batch-Read-Only': 'true' } : headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (!answer.ok) throw await refusal(answer)
    const results = isSingle ? [rowsOf(await answer.json<TextRows>())] : (await answer.json<{ results: TextRows[] }>()).results.map(rowsOf)
    demandCarriable(results, Number(answer.headers.get('content-length') ?? 0))
    return results
  }
}

/** Neon answers HTTP on the host's name with `api` in place of its first label. */
function endpointOf({ hostname }: URL): string {
  return `https://${hostname.replace(/^[^.]+\./, 'api.')}/sql`
}

/** PostgreSQL's own fields lie beside the message. */
async function refusal(answer: Response): Promise<NeonDbError> {
  if (answer.status !== 400) return new NeonDbError(`The database's endpoint answered ${answer.status}`)
  const { message, ...fields } = (await answer.json()) as { message: string } // so does Neon's endpoint answer what PostgreSQL refused
  return Object.assign(new NeonDbError(message), fields)
}

function rowsOf({ command, rowCount, fields, rows }: TextRows): Rows {
  return { command, rowCount, fields: fields.map(({ name, dataTypeID }) => ({ name, dataTypeID })), rows: parseRows(fields, rows) }
}

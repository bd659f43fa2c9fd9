import { ServiceError } from '@dot-do/worker-utils'
import type { Env } from '../env.ts'

/** What a statement is given: values by name, which never become part of its text. */
export type Parameters = Record<string, string | number>

/** An outside call that gets no answer is given up after this time. */
const TIMEOUT_MS = 20_000

/** Writes lines of JSON to a table. A second time under the same token is not written again. */
export async function insertLines(table: string, { lines, token }: { lines: Uint8Array[]; token: string }, env: Env): Promise<void> {
  const query = `insert into ${table} format JSONEachRow`
  const settings = { insert_deduplication_token: token, async_insert: '0', wait_end_of_query: '1' }
  await ask({ search: { query, ...settings }, body: new Blob(lines) }, env)
}

/** Runs a statement that gives rows. Counts come as numbers, since they are not beyond what a double holds. */
export async function selectRows(sql: string, parameters: Parameters, env: Env): Promise<Record<string, string | number>[]> {
  const named = Object.entries(parameters).map(([name, value]) => [`param_${name}`, escaped(String(value))])
  const settings = { wait_end_of_query: '1', output_format_json_quote_64bit_integers: '0', max_execution_time: '10' }
  const answer = await ask({ search: { ...settings, ...Object.fromEntries(named) }, body: `${sql} format JSON` }, env)
  const { data } = JSON.parse(answer) as { data: Record<string, string | number>[] } // as the format JSON has it; reports select nothing but texts and numbers
  return data
}

/** Rejects where ClickHouse is not configured, not there, or will not have us. */
export async function reachClickHouse(env: Env): Promise<void> {
  await ask({ search: {}, body: 'select 1', timeoutMs: 2_000 }, env)
}

/** One POST: what is asked in its address, what is sent along in its body. */
interface Asked {
  search: Record<string, string>
  body: BodyInit
  timeoutMs?: number
}

async function ask({ search, body, timeoutMs = TIMEOUT_MS }: Asked, env: Env): Promise<string> {
  const { CLICKHOUSE_URL, CLICKHOUSE_USER = 'default', CLICKHOUSE_PASSWORD = '', CLICKHOUSE } = env
  if (!CLICKHOUSE_URL) throw new ServiceError('UNAVAILABLE', 'There is no ClickHouse: CLICKHOUSE_URL is not set')
  const url = new URL(CLICKHOUSE_URL)
  // As ClickHouse's own clients read it, the path is the database.
  const database = url.pathname.slice(1) || 'default'
  url.pathname = '/'
  url.search = new URLSearchParams({ database, ...search }).toString()
  const headers = { 'X-ClickHouse-User': CLICKHOUSE_USER, 'X-ClickHouse-Key': CLICKHOUSE_PASSWORD }
  const request = new Request(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(timeoutMs) })
  const [answer, text] = await send(request, CLICKHOUSE)
  if (!answer.ok || answer.headers.has('X-ClickHouse-Exception-Code')) throw refusal(answer, text)
  return text
}

async function send(request: Request, binding: Fetcher | undefined): Promise<[answer: Response, text: string]> {
  try {
    const answer = await (binding ? binding.fetch(request) : fetch(request))
    return [answer, await answer.text()]
  } catch (cause) {
    throw new ServiceError('UNAVAILABLE', 'ClickHouse does not answer', { cause })
  }
}

/** ClickHouse's codes for a statement that takes longer, or more memory, than it may. */
const TOO_MUCH = new Set(['159', '160', '241'])

/** ClickHouse tells in the body which code an error has (src/Common/ErrorCodes.cpp), and then more than is anybody's business. */
function refusal({ status, headers }: Response, text: string): ServiceError {
  const code = headers.get('X-ClickHouse-Exception-Code') ?? /^Code: (\d+)\./.exec(text)?.[1]
  const cause = new Error(text.slice(0, 2_000))
  if (code === undefined) return new ServiceError('UNAVAILABLE', `ClickHouse answers ${status}`, { cause })
  if (TOO_MUCH.has(code)) return new ServiceError('UNAVAILABLE', 'This is more than ClickHouse does at once: ask for a shorter time', { cause })
  return new ServiceError('UPSTREAM', `ClickHouse refuses with its code ${code}`, { cause })
}

/** Values of parameters are read as in tab-separated files. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

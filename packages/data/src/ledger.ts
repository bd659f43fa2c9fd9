import type { Call } from '@dot-do/worker-kernel/call'
import type { Ledger, LedgerEntry } from '@dot-do/worker-kernel/ledger'
import { batch, type Buildable, type HasDatabase } from './database.ts'

/**
 * A ledger in a service's own PostgreSQL schema, in a table the service's migrations make:
 * `ledger (principal, operation, key, input_hash text, answer jsonb, created_at timestamptz, primary key (principal, operation, key))`.
 */
export function postgresLedger<Env extends HasDatabase>(schema: string): Ledger<Env> {
  return {
    async find({ principal, operation, key }, call) {
      const sql = `select input_hash, answer from "${schema}".ledger where principal = $1 and operation = $2 and key = $3 and created_at > now() - interval '24 hours'`
      const [result] = await batch(call, [{ sql, params: [principal, operation, key] }])
      const [row] = result?.rows ?? []
      return row && { inputHash: String(row[0]), answer: row[1] }
    },
  }
}

/** Commits an operation's effect, and for a keyed call its ledger row with it: both or neither. The answer is known before, since ids and times are made before. */
export async function commit<Env extends HasDatabase>(
  call: Call<Env>,
  schema: string,
  { statements, answer }: { statements: Buildable[]; answer: object },
): Promise<void> {
  const { entry } = call
  await batch(call, entry ? [...statements, forgetExpired(schema), remember(schema, entry, answer)] : statements)
  if (entry) entry.committed = true
}

function forgetExpired(schema: string): Buildable {
  return { sql: `delete from "${schema}".ledger where created_at <= now() - interval '24 hours'`, params: [] }
}

function remember(schema: string, { principal, operation, key, inputHash, secret }: LedgerEntry, answer: object): Buildable {
  const stored = Object.fromEntries(Object.entries(answer).filter(([field]) => field !== secret))
  return {
    sql: `insert into "${schema}".ledger (principal, operation, key, input_hash, answer) values ($1, $2, $3, $4, $5::jsonb)`,
    params: [principal, operation, key, inputHash, JSON.stringify(stored)],
  }
}

import type { Statement } from './database.ts'

/** Where a command's input stands in the caller's, for errors: empty, or `commands.3.input.`. */
interface Placed {
  path: string
}

/** A change to one thing as `db.apply_all` takes it; see migrations/0002_changes.sql. */
export interface ThingCommand extends Placed {
  operation: 'upsert' | 'update' | 'delete' | 'restore'
  ns: string
  id: string
  type?: string | undefined
  content?: string | undefined
  data?: Record<string, unknown> | undefined
  visibility?: string | undefined
  /** Which state `restore` brings back. */
  version?: number | undefined
  ifVersion?: number | undefined
}

/** A change to what one thing is to another, as `db.apply_all` takes it. */
export interface RelationshipCommand extends Placed {
  operation: 'relate' | 'unrelate'
  ns: string
  id: string
  from: string
  predicate: string
  to: string
  data?: Record<string, unknown> | undefined
  ifVersion?: number | undefined
}

/** One command, and with others all or none. */
export type Command = ThingCommand | RelationshipCommand

/** The ledger row of a keyed call. */
export interface LedgerRow {
  principal: string
  operation: string
  key: string
  inputHash: string
}

/** How what `db.apply_all` gives becomes an operation's answer. */
const ANSWERS = {
  one: `results -> 0`,
  all: `jsonb_build_object('results', results)`,
  counts: `jsonb_build_object('changed', changed, 'things', (select count(*) from jsonb_array_elements(results) r where r ? '$id'),
    'relationships', (select count(*) from jsonb_array_elements(results) r where r ? 'predicate'))`,
}

/** The form of an operation's answer: that of its one command, those of all, or how many of which kind. */
export type AnswerForm = keyof typeof ANSWERS

/** All commands in order as one statement that gives the answer; with a ledger row, remembered in the same breath. */
export function applyCommands(
  commands: Command[],
  { actor, at, answer, ledger }: { actor: string; at: string; answer: AnswerForm; ledger?: LedgerRow | undefined },
): Statement {
  const done = `with done as materialized (select results, changed from db.apply_all($1::jsonb, $2, $3::timestamptz))`
  const params: unknown[] = [JSON.stringify(commands), actor, at]
  if (!ledger) return { sql: `${done} select ${ANSWERS[answer]} from done`, params }
  return {
    // Counting what expired makes the insert wait for it; unordered, a key that expired would be in its own way.
    sql: `${done},
      answered as materialized (select ${ANSWERS[answer]} as answer from done),
      expired as (delete from db.ledger where created_at <= now() - interval '24 hours' returning key),
      forgotten as (select count(*) from expired),
      kept as (insert into db.ledger (principal, operation, key, input_hash, answer) select $4, $5, $6, $7, answer from answered, forgotten)
      select answer from answered`,
    params: [...params, ledger.principal, ledger.operation, ledger.key, ledger.inputHash],
  }
}

/** What a keyed call was answered within the last 24 hours. */
export function findRemembered({ principal, operation, key }: LedgerRow): Statement {
  return {
    sql: `select input_hash, answer from db.ledger where principal = $1 and operation = $2 and key = $3 and created_at > now() - interval '24 hours'`,
    params: [principal, operation, key],
  }
}

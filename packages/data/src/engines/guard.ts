import { copySettings } from './copy-settings.ts'
import { DatabaseError } from './engine.ts'
import type { Statement } from './engine.ts'

const kinds = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'WITH', 'VALUES', 'MERGE'])
/** What a session may say of its transaction beyond that. `commit prepared` and its like find nothing, as nothing can be prepared. */
const transactionKinds = new Set(['BEGIN', 'START', 'COMMIT', 'END', 'ROLLBACK', 'ABORT', 'SAVEPOINT', 'RELEASE'])
/** A client may ask for a shorter patience than a session has anyway. */
const idleSetting = /^\s*set\s+local\s+idle_in_transaction_session_timeout\s*(=|to)\s*'?\d+\s*(ms|s)?'?\s*;?\s*$/i
const readOnlyKinds = new Set(['SELECT', 'VALUES'])

/**
 * The first keyword of a statement, upper case, past whitespace, comments (they nest, as in PostgreSQL) and opening parentheses.
 * Empty when no word comes first.
 */
export function firstKeyword(sql: string): string {
  const at = firstToken(sql)
  return /^[a-z]+/i.exec(sql.slice(at, at + 16))?.[0].toUpperCase() ?? ''
}

function firstToken(sql: string): number {
  let at = 0
  for (;;) {
    at += /^[\s(]*/.exec(sql.slice(at))?.[0].length ?? 0
    if (sql.startsWith('--', at)) at = lineEnd(sql, at)
    else if (sql.startsWith('/*', at)) at = commentEnd(sql, at)
    else return at
  }
}

function lineEnd(sql: string, from: number): number {
  const end = sql.slice(from).search(/[\r\n]/)
  return end === -1 ? sql.length : from + end
}

function commentEnd(sql: string, from: number): number {
  let depth = 0
  let at = from
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) depth++
    else if (sql.startsWith('*/', at)) depth--
    else {
      at++
      continue
    }
    at += 2
    if (depth === 0) return at
  }
  return at
}

/**
 * Refuses what a service may not send. Only statements that read or write rows pass, so nobody changes the role, the session or the transaction they run in;
 * that there is only one per text is the extended protocol's doing. A NUL would end the text early inside a protocol message and let its tail be read as another.
 */
export function guard(role: string | null, statements: readonly Statement[]): void {
  if (statements.length === 0) throw new DatabaseError('A batch needs at least one statement', { code: '42601', severity: 'ERROR' })
  for (const { sql } of statements) {
    if (sql.includes('\0')) throw new DatabaseError('A statement may not contain NUL', { code: '22021', severity: 'ERROR' })
    if (role !== null && !kinds.has(firstKeyword(sql))) throw notAllowed()
  }
}

/** The same for one text of a session, which also begins and ends its own transactions, settles how values are written in one, and may say nothing at all. */
export function guardSession(sql: string): void {
  const keyword = firstKeyword(sql)
  if (kinds.has(keyword) || transactionKinds.has(keyword) || idleSetting.test(sql) || copySettings.includes(sql)) return
  if (/^[\s;]*$/.test(sql.slice(firstToken(sql)))) return
  throw notAllowed()
}

function notAllowed(): DatabaseError {
  return new DatabaseError(`A service may only run ${[...kinds].join(', ')}`, { code: '42501', severity: 'ERROR' })
}

/** Tells a batch that has nothing to take back from one that may have written. */
export function onlyReads(statements: readonly Statement[]): boolean {
  return statements.every(({ sql }) => readOnlyKinds.has(firstKeyword(sql)))
}

/**
 * Whether a statement may leave something in its session: a setting or an advisory lock. The XML functions run any query given as text, so they count.
 * A false alarm costs one round trip; a missed one leaves a role with its own leftovers, never with another's.
 */
export function touchesSession(statements: readonly Statement[]): boolean {
  return statements.some(({ sql }) => /set_config|pg_settings|advisory|_to_xml|setseed|U&"/i.test(sql))
}

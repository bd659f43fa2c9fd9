import { ServiceError } from '@dot-do/worker-utils'
import { connectionAs } from '../database.ts'
import type { Operations } from '../operations.ts'

/** At most this many rows of an administrator's query are given. */
const MAX_ROWS = 1000

/** The role that may only read db's own tables, in read-only transactions of at most five seconds; its settings are in the database. */
const READER = 'db_reader'

export const query: Operations['query'] = async ({ sql, params }, { env }) => {
  const connection = await connectionAs(READER, env)
  // As a subquery it can only be a single statement that gives rows; the line break ends a trailing comment.
  const [result] = await connection([{ sql: `select * from (${sql.replace(/;\s*$/, '')}\n) as answer limit ${MAX_ROWS + 1}`, params }], { readOnly: true })
  const rows = result?.rows ?? []
  return { columns: result?.fields.map(({ name }) => name) ?? [], rows: rows.slice(0, MAX_ROWS), truncated: rows.length > MAX_ROWS }
}

export const execute: Operations['execute'] = async ({ statements, readOnly }, { env, principal }) => {
  // The role is a Worker's own: neither a person with every permission nor a Worker speaking for one has a role.
  if (principal.kind !== 'service') throw new ServiceError('FORBIDDEN', 'Only a service may execute statements, in its own name')
  const connection = await connectionAs(principal.id, env)
  return { results: await connection(statements, { readOnly }) }
}

import type { Call } from '@dot-do/worker-kernel/call'
import { connectionAs, type Statement } from './database.ts'
import type { Env } from './env.ts'

/** The only column of a statement's rows; its type is what the statement's SQL builds, and the contract's output schema checks it. */
export async function readColumn<Value>(statement: Statement, { env }: Call<Env>): Promise<Value[]> {
  const connection = await connectionAs('db', env)
  const [result] = await connection([statement])
  return (result?.rows ?? []).map(([value]) => value as Value)
}

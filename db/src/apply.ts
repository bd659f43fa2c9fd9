import type { Call } from '@dot-do/worker-kernel/call'
import { applyCommands, type AnswerForm, type Command } from './commands.ts'
import { connectionAs } from './database.ts'
import type { Env } from './env.ts'

/** Runs commands as one statement, all or none. The answer's form is what `answer` says, and the contract's output schema checks it. */
export async function apply<Answer>(commands: Command[], answer: AnswerForm, call: Call<Env>): Promise<Answer> {
  const connection = await connectionAs('db', call.env)
  const statement = applyCommands(commands, { actor: call.principal.id, at: new Date().toISOString(), answer, ledger: call.entry })
  const [result] = await connection([statement])
  if (call.entry) call.entry.committed = true
  return result?.rows[0]?.[0] as Answer
}

import type { Thing } from '@dot-do/worker-contracts/thing'
import type { Call } from '@dot-do/worker-kernel/call'
import { generateId, toKebabCase } from '@dot-do/worker-utils'
import type * as z from 'zod'
import { connectionAs } from '../database.ts'
import type { Env } from '../env.ts'
import { namespaceFor } from '../namespace.ts'
import type { Operations } from '../operations.ts'
import { applyCommands, type ThingCommand } from '../things.ts'

type ThingJson = z.input<typeof Thing>

export const upsert: Operations['upsert'] = (input, call) => apply<ThingJson>([upsertCommand(input, call, '')], 'one', call)

export const update: Operations['update'] = (input, call) => apply<ThingJson>([updateCommand(input, call, '')], 'one', call)

export const deleteThing: Operations['delete'] = (input, call) => apply<ThingJson>([deleteCommand(input, call, '')], 'one', call)

export const batch: Operations['batch'] = ({ commands }, call) => {
  const made = commands.map(({ operation, input }, index) => COMMANDS[operation](input as never, call, `commands.${index}.input.`)) // BatchCommand pairs each operation with its input
  return apply<{ results: ThingJson[] }>(made, 'all', call)
}

type Input<Name extends keyof Operations> = Parameters<Operations[Name]>[0]

function upsertCommand({ $type, $id, ns, content, data, visibility, ifVersion }: Input<'upsert'>, { principal }: Call, path: string): ThingCommand {
  const id = $id ?? generateId('').replace('_', `${toKebabCase($type)}/`)
  return { operation: 'upsert', ns: namespaceFor(principal, ns), id, type: $type, content, data, visibility, ifVersion, path }
}

function updateCommand({ id, ns, $type, ...changed }: Input<'update'>, { principal }: Call, path: string): ThingCommand {
  return { operation: 'update', ns: namespaceFor(principal, ns), id, type: $type, ...changed, path }
}

function deleteCommand({ id, ns, ifVersion }: Input<'delete'>, { principal }: Call, path: string): ThingCommand {
  return { operation: 'delete', ns: namespaceFor(principal, ns), id, ifVersion, path }
}

const COMMANDS = { upsert: upsertCommand, update: updateCommand, delete: deleteCommand }

/** Runs the commands as one statement; the answer's form is what `answer` says, and the contract's output schema checks it. */
async function apply<Answer>(commands: ThingCommand[], answer: 'one' | 'all', call: Call<Env>): Promise<Answer> {
  const connection = await connectionAs('db', call.env)
  const statement = applyCommands(commands, { actor: call.principal.id, at: new Date().toISOString(), answer, ledger: call.entry })
  const [result] = await connection([statement])
  if (call.entry) call.entry.committed = true
  return result?.rows[0]?.[0] as Answer
}

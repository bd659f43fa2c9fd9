import type { Relationship } from '@dot-do/worker-contracts/relationship'
import type { Thing } from '@dot-do/worker-contracts/thing'
import type { Call } from '@dot-do/worker-kernel/call'
import type * as z from 'zod'
import { apply } from '../apply.ts'
import { commandOf, type Asker } from '../command-of.ts'
import type { AnswerForm, Command, ThingCommand } from '../commands.ts'
import { embedLater } from '../embedding.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'
import { resolveReferences, type Made } from '../references.ts'

type ThingJson = z.input<typeof Thing>
type Answer<Name extends keyof Operations> = Awaited<ReturnType<Operations[Name]>>

export const upsert: Operations['upsert'] = (input, call) => one(commandOf.upsert(input, asker(call)), call)

export const update: Operations['update'] = (input, call) => one(commandOf.update(input, asker(call)), call)

export const deleteThing: Operations['delete'] = (input, call) => one(commandOf.delete(input, asker(call)), call)

export const restore: Operations['restore'] = (input, call) => one(commandOf.restore(input, asker(call)), call)

export const batch: Operations['batch'] = async ({ commands }, call) => {
  const made: Made[] = []
  const resolved: Command[] = []
  // One after another: what a command refers to must have its id.
  for (const [index, { operation, input }] of commands.entries()) {
    const path = `commands.${index}.input`
    const command = await commandOf[operation](resolveReferences(input, made, path) as never, { principal: call.principal, path: `${path}.` }) // BatchCommand pairs each operation with its input
    made.push({ field: 'predicate' in command ? 'id' : '$id', id: command.id })
    resolved.push(command)
  }
  return applyAndEmbed<{ results: z.input<typeof Thing | typeof Relationship>[] }>(resolved, 'all', call)
}

export const importLines: Operations['import'] = async ({ ns, lines }, call) => {
  const commands = lines.map(async (line, index) => {
    const from: Asker = { principal: call.principal, path: `lines.${index}.` }
    return '$type' in line ? commandOf.upsert({ ...line, ns }, from) : commandOf.relate({ ...line, ns }, from)
  })
  return applyAndEmbed<Answer<'import'>>(await Promise.all(commands), 'counts', call)
}

function asker({ principal }: Call): Asker {
  return { principal, path: '' }
}

function one(command: ThingCommand, call: Call<Env>): Promise<ThingJson> {
  return applyAndEmbed<ThingJson>([command], 'one', call)
}

/** What was written can be found by meaning a little later; a deleted thing's embedding goes. */
async function applyAndEmbed<Answer>(commands: Command[], answer: AnswerForm, call: Call<Env>): Promise<Answer> {
  const applied = await apply<Answer>(commands, answer, call)
  embedLater(
    commands.filter((command) => !('predicate' in command)),
    call,
  )
  return applied
}

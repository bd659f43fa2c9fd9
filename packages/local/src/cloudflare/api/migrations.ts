import type * as z from 'zod'
import { CloudflareError } from '../errors.ts'
import type { Script, ScriptMigrations } from '../store/script.ts'
import type { Migrations } from './upload-metadata.ts'

type Sent = z.output<typeof Migrations>
type Step = NonNullable<Sent['steps']>[number]
type Class = ScriptMigrations['classes'][number]

/** The Durable Object classes after a migration. It applies only to the state it was written for: `old_tag` has to be the script's. */
export function migrate(current: Script | undefined, sent: Sent): ScriptMigrations {
  const now = current?.migrations
  if (sent.old_tag !== now?.tag && sent.old_tag !== undefined) {
    throw new CloudflareError(412, 10_079, `migrations.old_tag: the script is at "${now?.tag ?? ''}", expected "${sent.old_tag}"`)
  }
  const steps: Step[] = sent.steps ?? [sent]
  const tag = sent.new_tag ?? sent.tag
  return { ...(tag === undefined ? {} : { tag }), classes: steps.reduce(applyStep, now?.classes ?? []) }
}

/** Refuses bindings to classes of the script's own that no migration made. */
export function checkClasses({ bindings, migrations, name }: Pick<Script, 'bindings' | 'migrations' | 'name'>): void {
  const known = new Set(migrations?.classes.map((made) => made.name))
  for (const binding of bindings) {
    if (binding.type !== 'durable_object_namespace' || (binding.script_name ?? name) !== name || known.has(binding.class_name)) continue
    const text = `Cannot create binding for class '${binding.class_name}' because it is not currently configured to implement Durable Objects`
    throw new CloudflareError(400, 10_061, `${text}; binding ${binding.name} needs a migration with it`)
  }
}

function applyStep(classes: Class[], step: Step): Class[] {
  const made = [
    ...(step.new_classes ?? []).map((name): Class => ({ name, storage: 'key-value' })),
    ...(step.new_sqlite_classes ?? []).map((name): Class => ({ name, storage: 'sqlite' })),
  ]
  for (const { name } of made) if (classes.some((one) => one.name === name)) throw refusal(10_074, `the class ${name} exists already`)
  const renamed = (step.renamed_classes ?? []).reduce(rename, [...classes, ...made])
  return (step.deleted_classes ?? []).reduce((left, name) => {
    mustHave(left, name)
    return left.filter((one) => one.name !== name)
  }, renamed)
}

function rename(classes: Class[], { from, to }: { from: string; to: string }): Class[] {
  mustHave(classes, from)
  if (classes.some(({ name }) => name === to)) throw refusal(10_074, `the class ${to} exists already`)
  return classes.map((one) => (one.name === from ? { ...one, name: to } : one))
}

function mustHave(classes: Class[], wanted: string): void {
  if (!classes.some(({ name }) => name === wanted)) throw refusal(10_071, `there is no class ${wanted}`)
}

function refusal(code: number, what: string): CloudflareError {
  return new CloudflareError(400, code, `migrations: ${what}`)
}

import * as z from 'zod'
import { CloudflareError, invalidUpload } from '../errors.ts'
import type { Binding, Script } from '../store/script.ts'

/** https://developers.cloudflare.com/workers/platform/limits/#environment-variables */
const MOST_VARIABLES = 128
const VARIABLE_BYTES = 5 * 1024

const name = z
  .string()
  .max(255)
  .regex(/^[^\p{Cc}]+$/u, 'a name has no control characters')
const part = z.string().min(1)

/** The kinds that can be kept and run. */
const BINDINGS = {
  plain_text: z.object({ type: z.literal('plain_text'), name, text: z.string() }),
  secret_text: z.object({ type: z.literal('secret_text'), name, text: z.string() }),
  json: z.object({ type: z.literal('json'), name, json: z.unknown() }),
  text_blob: z.object({ type: z.literal('text_blob'), name, part }),
  data_blob: z.object({ type: z.literal('data_blob'), name, part }),
  wasm_module: z.object({ type: z.literal('wasm_module'), name, part }),
  service: z.object({
    type: z.literal('service'),
    name,
    service: z.string().min(1),
    environment: z.string().optional(),
    entrypoint: z.string().optional(),
    props: z.record(z.string(), z.unknown()).optional(),
  }),
  assets: z.object({ type: z.literal('assets'), name }),
  version_metadata: z.object({ type: z.literal('version_metadata'), name }),
  durable_object_namespace: z.object({ type: z.literal('durable_object_namespace'), name, class_name: z.string().min(1), script_name: z.string().optional() }),
}

/** What bindings are made from beside what was sent. */
export interface BindingSources {
  /** The script as it is, whose bindings can be inherited. */
  current: Script | undefined
  /** Types of bindings that stay unless others take their names. */
  keep: readonly string[]
  /** Whether to inherit what is not there is refused. Without it, it is passed over. */
  strict: boolean
}

/** The bindings a script is to have. Each refusal names the binding. */
export function resolveBindings(sent: readonly Record<string, unknown>[], { current, keep, strict }: BindingSources): Binding[] {
  const now = new Map((current?.bindings ?? []).map((binding) => [binding.name, binding]))
  const resolved = new Map<string, Binding>()
  const seen = new Set<string>()
  for (const binding of sent) {
    const called = nameOf(binding)
    if (seen.has(called)) throw new CloudflareError(400, 10_053, `Binding name '${called}' already in use. Please use a different name and try again.`)
    seen.add(called)
    const found = isInherited(binding) ? inherited(binding, now) : parseBinding(binding, called)
    if (found) resolved.set(called, { ...found, name: called })
    else if (strict || binding['type'] !== 'inherit')
      throw new CloudflareError(400, 10_057, `inherit binding '${called}' is invalid: the script has no such binding to inherit`)
  }
  for (const binding of now.values()) if (keep.includes(binding.type) && !seen.has(binding.name)) resolved.set(binding.name, binding)
  refuseTooMany([...resolved.values()])
  return [...resolved.values()]
}

/** A secret as it is kept; refuses what is no text or too long. */
export function secretBinding(called: string, text: string): Binding {
  const binding = parseBinding({ type: 'secret_text', name: called, text }, called)
  refuseTooMany([binding])
  return binding
}

/** Refuses more variables than a script may have, and too long ones. */
export function refuseTooMany(bindings: readonly Binding[]): void {
  const variables = bindings.flatMap((binding) => {
    if (binding.type === 'plain_text' || binding.type === 'secret_text') return [{ called: binding.name, text: binding.text }]
    return binding.type === 'json' ? [{ called: binding.name, text: JSON.stringify(binding.json) }] : []
  })
  if (variables.length > MOST_VARIABLES) throw new CloudflareError(400, 10_055, `A Worker has at most ${MOST_VARIABLES} environment variables and secrets`)
  const long = variables.find(({ text }) => Buffer.byteLength(text) > VARIABLE_BYTES)
  if (long) throw new CloudflareError(400, 10_054, `Text binding '${long.called}' is too large: a variable or secret has at most 5 KiB`)
}

/** A binding as the API answers it: of a secret, that it is there. */
export function shownBinding(binding: Binding): object {
  return binding.type === 'secret_text' ? { name: binding.name, type: binding.type } : binding
}

function nameOf(binding: Record<string, unknown>): string {
  const called = binding['name']
  if (typeof called !== 'string' || called === '') throw new CloudflareError(400, 10_052, 'bindings: a binding has no name')
  return called
}

/** `secret_text` without a text means the one there is. */
function isInherited({ type, text }: Record<string, unknown>): boolean {
  return type === 'inherit' || (type === 'secret_text' && text === undefined)
}

function inherited(binding: Record<string, unknown>, now: ReadonlyMap<string, Binding>): Binding | undefined {
  const old = binding['old_name']
  return now.get(typeof old === 'string' ? old : nameOf(binding))
}

function parseBinding(binding: Record<string, unknown>, called: string): Binding {
  const type = String(binding['type'])
  if (!isKnown(type)) {
    throw invalidUpload(`binding ${called} of type ${type.slice(0, 100)} is not supported here; supported are ${Object.keys(BINDINGS).join(', ')}`)
  }
  const { success, data, error } = BINDINGS[type].safeParse(binding)
  if (success) return data as Binding
  const [issue] = error.issues
  throw invalidUpload(`binding ${called} of type ${type} must have a valid \`${issue?.path.join('.')}\`: ${issue?.message}`)
}

function isKnown(type: string): type is keyof typeof BINDINGS {
  return Object.hasOwn(BINDINGS, type)
}

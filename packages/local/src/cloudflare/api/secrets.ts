import * as z from 'zod'
import { CloudflareError } from '../errors.ts'
import type { Binding } from '../store/script.ts'
import { readJson } from './body.ts'
import type { Call, Route } from './context.ts'
import { succeed } from './envelope.ts'
import { scriptOf, updateTarget } from './targets.ts'
import { refuseTooMany, secretBinding } from './upload-bindings.ts'

/** How many secrets one call may change. */
const MOST_AT_ONCE = 100

const Secret = z.object({ name: z.string().min(1), text: z.string(), type: z.literal('secret_text', 'only secret_text can be kept here') })

const Secrets = z.object({
  secrets: z
    .record(z.string(), Secret.nullable())
    .refine((secrets) => Object.keys(secrets).length <= MOST_AT_ONCE, `at most ${MOST_AT_ONCE} at once`)
    .refine((secrets) => Object.entries(secrets).every(([key, secret]) => secret === null || secret.name === key), 'the name of each must be its key'),
})

/** A script's secrets: their names come out, their texts only go in. */
export function secretRoutes(one: string): Route[] {
  return [
    ['GET', `${one}/secrets`, list],
    ['PUT', `${one}/secrets`, put],
    ['PATCH', `${one}/secrets-bulk`, patch],
    ['GET', `${one}/secrets/:secret`, get],
    ['DELETE', `${one}/secrets/:secret`, remove],
  ]
}

async function list(call: Call): Promise<Response> {
  return succeed(secretsIn((await scriptOf(call)).bindings))
}

async function get(call: Call): Promise<Response> {
  const name = call.params['secret'] ?? ''
  const found = secretsIn((await scriptOf(call)).bindings).find((secret) => secret.name === name)
  if (found === undefined) throw noSecret(name)
  return succeed(found)
}

async function put(call: Call): Promise<Response> {
  await scriptOf(call)
  const { name, text } = await readJson(call.request, Secret)
  await updateTarget(call, ({ bindings }) => ({ bindings: withSecrets(bindings, { [name]: text }) }))
  return succeed({ name, type: 'secret_text' })
}

/** A merge patch (RFC 7396): a secret is set, or by null removed; all at once or none. */
async function patch(call: Call): Promise<Response> {
  await scriptOf(call)
  const { secrets } = await readJson(call.request, Secrets)
  const texts = Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, secret?.text]))
  const { bindings } = await updateTarget(call, (current) => ({ bindings: withSecrets(current.bindings, texts) }))
  return succeed(secretsIn(bindings))
}

async function remove(call: Call): Promise<Response> {
  const name = call.params['secret'] ?? ''
  await updateTarget(call, ({ bindings }) => {
    if (!secretsIn(bindings).some((secret) => secret.name === name)) throw noSecret(name)
    return { bindings: withSecrets(bindings, { [name]: undefined }) }
  })
  return succeed(null)
}

function secretsIn(bindings: readonly Binding[]): { name: string; type: string }[] {
  return bindings.filter(({ type }) => type === 'secret_text').map(({ name, type }) => ({ name, type }))
}

/** The bindings with secrets set, or removed where there is no text. */
function withSecrets(bindings: readonly Binding[], texts: Record<string, string | undefined>): Binding[] {
  const taken = bindings.find(({ name, type }) => type !== 'secret_text' && Object.hasOwn(texts, name))
  if (taken) throw new CloudflareError(400, 10_053, `Binding name '${taken.name}' already in use. Please use a different name and try again.`)
  const others = bindings.filter(({ name }) => !Object.hasOwn(texts, name))
  const set = Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [secretBinding(name, text)]))
  const next = [...others, ...set]
  refuseTooMany(next)
  return next
}

function noSecret(name: string): CloudflareError {
  return new CloudflareError(404, 10_056, `Binding '${name.slice(0, 100)}' not found`)
}

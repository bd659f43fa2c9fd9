import type * as z from 'zod'
import type { AnyOperation, Contract } from './contract.ts'
import { parseRoute } from './route.ts'

/** Names that the runtime and JavaScript give a meaning of their own on an entrypoint: over RPC they are no methods. */
export const RUNTIME_NAMES: ReadonlySet<string> = new Set([
  'constructor',
  'fetch',
  'queue',
  'scheduled',
  'email',
  'alarm',
  'tail',
  'tailStream',
  'trace',
  'test',
  'connect',
  'webSocketMessage',
  'webSocketClose',
  'webSocketError',
  'then',
  'catch',
  'finally',
  'dup',
  'toJSON',
  'env',
  'ctx',
])

/** Names that the kernel gives to methods of its own. */
const KERNEL_NAMES = new Set(['tools', 'callTool'])

/** Schemas without a JSON form: what they hold would differ between RPC, which clones, and HTTP, which serialises. */
const NOT_JSON = new Set(['bigint', 'symbol', 'undefined', 'void', 'date', 'map', 'set', 'nan', 'function', 'promise', 'transform', 'custom', 'file'])

/** Throws for the first promise that cannot be kept, naming service, operation and reason. */
export function refuseBrokenPromises(contract: Pick<Contract, 'name' | 'operations'>): void {
  if (!/^[a-z][a-z0-9-]*$/.test(contract.name)) throw new TypeError(`Contract "${contract.name}": a service's name is kebab-case`)
  const routes = new Map<string, string>()
  for (const [name, operation] of Object.entries(contract.operations)) {
    const route = operation.http?.replaceAll(/:\w+/g, ':')
    const reason = brokenPromise(name, operation) ?? (route && routes.has(route) ? `its route is that of ${routes.get(route)}` : undefined)
    if (reason) throw new TypeError(`Contract ${contract.name}.${name}: ${reason}`)
    if (route) routes.set(route, name)
  }
}

function brokenPromise(name: string, operation: AnyOperation): string | undefined {
  if (RUNTIME_NAMES.has(name) || KERNEL_NAMES.has(name) || name in Object.prototype) return 'the name is reserved'
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) return 'an operation is named in camelCase'
  if (operation.queue && operation.repeat === 'unsafe') return 'a queue delivers at least once, so an unsafe operation cannot be offered to it'
  if (!/^(public|authenticated|[a-z][a-z0-9-]*:[a-z][a-z0-9-]*)$/.test(operation.permission)) return `"${operation.permission}" is not a permission`
  if (operation.cost !== undefined && !(Number.isInteger(operation.cost) && operation.cost >= 1)) return `a cost of ${operation.cost} cannot be counted`
  return brokenRoute(operation) ?? brokenSchema(operation)
}

function brokenRoute({ http, input }: AnyOperation): string | undefined {
  if (!http) return undefined
  const { parameters } = parseRoute(http)
  const missing = parameters.find((parameter) => !Object.hasOwn(input.shape, parameter))
  return missing && `the path parameter ":${missing}" is not in the input`
}

function brokenSchema({ input, output, secret }: AnyOperation): string | undefined {
  const culprit = notJson(input, new Set()) ?? notJson(output, new Set())
  if (culprit) return `a schema of type "${culprit}" has no JSON form`
  if (!secret) return undefined
  const field = fieldOf(output, secret)
  if (!field) return `the secret "${secret}" is not in the output`
  return field._zod.optout === 'optional' ? undefined : `the secret "${secret}" is missing when an answer is replayed, so it must be optional`
}

function fieldOf(schema: z.core.$ZodType, name: string): z.core.$ZodType | undefined {
  const { shape } = schema._zod.def as Partial<z.core.$ZodObjectDef> // every def is an object; only an object schema's has a shape
  return shape?.[name]
}

/** The type of the first schema within that JSON cannot carry. Definitions are walked as plain values: each nested schema hangs under some key, a lazy one behind `getter`. */
function notJson(value: unknown, seen: Set<unknown>): string | undefined {
  if (typeof value !== 'object' || value === null || seen.has(value)) return undefined
  seen.add(value)
  const definition = '_zod' in value ? (value as z.core.$ZodType)._zod.def : value
  if ('_zod' in value && NOT_JSON.has((definition as z.core.$ZodTypeDef).type)) return (definition as z.core.$ZodTypeDef).type
  for (const [key, nested] of Object.entries(definition)) {
    if (key === 'checks' || key === 'error') continue
    const found = notJson(key === 'getter' && typeof nested === 'function' ? nested() : nested, seen)
    if (found) return found
  }
  return undefined
}

import { ServiceError } from '@dot-do/worker-utils'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** What the steps that are over answered, by their names. */
export type Results = Readonly<Record<string, unknown>>

/** Puts what earlier steps answered where `{ "$result": "<step>.<field>" }` stands for it. INVALID for what is not there. */
export function withResults<Payload extends Record<string, unknown>>(payload: Payload, results: Results): Payload {
  return filled(payload as Json, results) as Payload // the same object, but for its references
}

function filled(value: Json, results: Results): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map((element) => filled(element, results))
  const reference = referenceOf(value)
  if (reference !== undefined) return found(reference, results)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner, results)]))
}

/** An object with anything beside `$result` is no reference. */
function referenceOf(value: { [key: string]: Json }): string | undefined {
  const { $result: reference, ...rest } = value
  return typeof reference === 'string' && Object.keys(rest).length === 0 ? reference : undefined
}

function found(reference: string, results: Results): unknown {
  let at: unknown = results
  for (const field of reference.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, field)) {
      throw new ServiceError('INVALID', `No earlier step answered ${reference}`)
    }
    at = (at as Record<string, unknown>)[field] // its own, as was just seen
  }
  return at
}

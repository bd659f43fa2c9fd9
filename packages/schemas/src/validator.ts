import type { ErrorDetail } from '@dot-do/worker-types'
import * as z from 'zod'

const MAX_DETAILS = 100

/** An input that does not fit its schema. It carries the code INVALID, by which every interface recognises it. */
export class ValidationError extends Error {
  override name = 'ValidationError'
  readonly code = 'INVALID'
  readonly details: ErrorDetail[]

  constructor(details: ErrorDetail[]) {
    super('The input does not fit')
    this.details = details
  }
}

/** A verdict on an input, with what it was parsed to or what is wrong with it. */
export type Validation<Output> = { success: true; data: Output } | { success: false; details: ErrorDetail[] }

/** Makes a function that returns a fitting input parsed and throws a ValidationError for any other. */
export function createValidator<Schema extends z.ZodType>(schema: Schema): (input: unknown) => z.output<Schema> {
  const validate = createSafeValidator(schema)
  return (input) => {
    const validation = validate(input)
    if (!validation.success) throw new ValidationError(validation.details)
    return validation.data
  }
}

/** Makes a function that says whether an input fits, and never throws. */
export function createSafeValidator<Schema extends z.ZodType>(schema: Schema): (input: unknown) => Validation<z.output<Schema>> {
  return (input) => {
    const { success, data, error } = schema.safeParse(input)
    return success ? { success, data } : { success, details: detailsOf(error) }
  }
}

/** What is wrong with an input, each thing with its dotted path, unknown keys one by one; the first hundred. It never repeats the input's values. */
export function detailsOf(error: z.core.$ZodError): ErrorDetail[] {
  return error.issues.flatMap((issue) => detailsOfIssue(issue, [])).slice(0, MAX_DETAILS)
}

function detailsOfIssue(issue: z.core.$ZodIssue, parent: readonly PropertyKey[]): ErrorDetail[] {
  const path = [...parent, ...issue.path]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: dotted([...path, key]), message: 'Unknown field' }))
  const branch = issue.code === 'invalid_union' ? closestBranch(issue.errors) : undefined
  if (branch) return branch.flatMap((inner) => detailsOfIssue(inner, path))
  return [{ path: dotted(path), message: issue.message }]
}

/** Of a union's branches the one that got further than the value's own type and has the least to complain of; none when the value is of no branch's type. */
function closestBranch(branches: readonly z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  const entered = branches.filter((issues) => issues.length > 0 && issues.every((issue) => issue.path.length > 0 || issue.code !== 'invalid_type'))
  return entered.sort((a, b) => a.length - b.length)[0]
}

function dotted(path: readonly PropertyKey[]): string {
  return path.map(String).join('.')
}

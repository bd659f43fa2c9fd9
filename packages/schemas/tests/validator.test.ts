import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { createSafeValidator, createValidator, ValidationError } from '../src/validator.ts'

const command = z.strictObject({
  name: z.string(),
  steps: z.array(z.union([z.string(), z.strictObject({ count: z.number() })])).optional(),
  labels: z.record(z.string(), z.number()).optional(),
})

function detailsOfInput(input: unknown) {
  const validation = createSafeValidator(command)(input)
  return validation.success ? [] : validation.details
}

describe('createSafeValidator', () => {
  it('returns a fitting input parsed', () => {
    const validate = createSafeValidator(z.object({ limit: z.int().default(20) }))

    expect(validate({ extra: 1 })).toEqual({ success: true, data: { limit: 20 } })
  })

  it('names every unknown field by its path', () => {
    const details = detailsOfInput({ name: 'a', x: 1, y: 2, steps: [{ count: 1, z: 3 }] })

    expect(details).toEqual([
      { path: 'steps.0.z', message: 'Unknown field' },
      { path: 'x', message: 'Unknown field' },
      { path: 'y', message: 'Unknown field' },
    ])
  })

  it.each([
    ['a missing field', {}, ['name']],
    ['a wrong type', { name: 1 }, ['name']],
    ['an input of another type', 'text', ['']],
    ['a value of no branch of a union', { name: 'a', steps: ['ok', true] }, ['steps.1']],
    ['a value of one branch', { name: 'a', steps: [{ count: 'x' }] }, ['steps.0.count']],
    ['a member of a record', { name: 'a', labels: { b: 'x' } }, ['labels.b']],
  ])('names the field of %s', (_, input, paths) => {
    expect(detailsOfInput(input).map(({ path }) => path)).toEqual(paths)
  })

  it('never repeats a value', () => {
    expect(JSON.stringify(detailsOfInput({ name: ['hunter2'], steps: 'hunter2', labels: { a: 'hunter2' } }))).not.toContain('hunter2')
  })

  it('stops at a hundred details', () => {
    const input = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`field${index}`, 1]))

    expect(detailsOfInput(input)).toHaveLength(100)
  })
})

describe('createValidator', () => {
  it('returns a fitting input', () => {
    expect(createValidator(command)({ name: 'a' })).toEqual({ name: 'a' })
  })

  it('throws a ValidationError that carries INVALID and the details', () => {
    const validate = createValidator(command)

    expect(() => validate({})).toThrowError(ValidationError)
    expect(() => validate({})).toThrowError(expect.objectContaining({ code: 'INVALID', details: [{ path: 'name', message: expect.any(String) }] }))
  })
})

import { describe, expect, it } from 'vitest'
import { withResults } from '../src/workflow/references.ts'

const RESULTS = { made: { $id: 'note/1', tags: ['a', 'b'], nested: { deep: [{ x: 1 }] } }, none: null }

describe('a reference in a payload', () => {
  it('stands for what an earlier step answered, wherever it is', () => {
    const payload = { id: { $result: 'made.$id' }, list: [1, { $result: 'made.tags' }], all: { whole: { $result: 'made' } }, none: { $result: 'none' } }

    expect(withResults(payload, RESULTS)).toEqual({ id: 'note/1', list: [1, ['a', 'b']], all: { whole: RESULTS.made }, none: null })
  })

  it('reaches into objects and lists', () => {
    expect(withResults({ x: { $result: 'made.nested.deep.0.x' } }, RESULTS)).toEqual({ x: 1 })
  })

  it('is not what merely looks like one', () => {
    const payload = { a: { $result: 'made', b: 1 }, c: { $result: 5 }, d: '$result', e: null, f: true }

    expect(withResults(payload, RESULTS)).toEqual(payload)
  })

  it.each(['later', 'made.none', 'made.constructor', 'made.tags.2', 'made.tags.length.x', 'none.x', '__proto__', 'made.__proto__', '', 'made.'])(
    'to %j, which is not there, is INVALID',
    (reference) => {
      const fill = () => withResults({ deep: [{ $result: reference }] }, RESULTS)

      expect(fill).toThrow(expect.objectContaining({ code: 'INVALID', message: `No earlier step answered ${reference}` }) as Error)
    },
  )

  it('answers what a field named __proto__ holds without taking it for a prototype', () => {
    const payload = JSON.parse('{ "__proto__": { "$result": "made.$id" } }') as Record<string, unknown>

    const filled = withResults(payload, RESULTS)

    expect(JSON.stringify(filled)).toBe('{"__proto__":"note/1"}')
    expect(Object.getPrototypeOf(filled)).toBe(Object.prototype)
  })
})

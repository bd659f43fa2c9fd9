import type { Principal } from '@dot-do/worker-types'
import { describe, expect, it } from 'vitest'
import { namespaceFor } from '../src/namespace.ts'

const asker: Principal = { id: 'key_1', kind: 'key', tenant: 'acme', permissions: ['things:read', 'things:write'] }

describe('the namespace of a call', () => {
  it.each([undefined, 'acme'])("is the asker's own where it says %s", (asked) => {
    expect(namespaceFor(asker, asked)).toBe('acme')
  })

  it('of another is not there for whoever lacks *', () => {
    expect(() => namespaceFor(asker, 'globex')).toThrow(expect.objectContaining({ code: 'NOT_FOUND', details: [{ path: 'ns', message: 'is not there' }] }))
  })

  it('of another is reached by whoever may do everything', () => {
    expect(namespaceFor({ ...asker, permissions: ['*'] }, 'globex')).toBe('globex')
  })
})

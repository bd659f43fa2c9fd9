import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allows, allowsSomewhere, covers, formatPermission, intersect, narrowPermission, parsePermission } from '../src/permission.ts'

const part = fc.constantFrom('*', 'a', 'b')
const permission = fc
  .tuple(part, part, fc.array(part, { maxLength: 3 }))
  .map(([noun, verb, scope]) => (scope.length > 0 ? `${noun}:${verb}@${scope.join('/')}` : `${noun}:${verb}`))
const permissions = fc.array(fc.oneof(permission, fc.constantFrom('*', 'deploy', 'nonsense')), { maxLength: 4 })
const resource = fc.record(
  { service: fc.constantFrom('a', 'b'), environment: fc.constantFrom('a', 'b'), tenant: fc.constantFrom('a', 'b') },
  { requiredKeys: [] },
)

describe('parsePermission', () => {
  it.each([
    ['*', '*', '*', ['*', '*', '*']],
    ['things:read', 'things', 'read', ['*', '*', '*']],
    ['*:read', '*', 'read', ['*', '*', '*']],
    ['deploy', 'deployments', 'create', ['*', '*', '*']],
    ['deploy@db/production', 'deployments', 'create', ['db', 'production', '*']],
    ['deployments:create@*/production/acme', 'deployments', 'create', ['*', 'production', 'acme']],
    ['*@db', '*', '*', ['db', '*', '*']],
  ])('takes %s apart', (text, noun, verb, scope) => {
    expect(parsePermission(text)).toEqual({ noun, verb, scope })
  })

  it.each([
    '',
    'things',
    'things:',
    ':read',
    'Things:read',
    'things:read@',
    'things:read@a/',
    'things:read@a/b/c/d',
    'things:read ',
    'things:re*',
    '**',
    'things:read\n',
  ])('refuses %j', (text) => {
    expect(parsePermission(text)).toBeUndefined()
  })

  it('reads what formatPermission wrote', () => {
    fc.assert(
      fc.property(permission, (text) => {
        const parsed = parsePermission(text)
        expect(parsed).toBeDefined()
        if (parsed) expect(parsePermission(formatPermission(parsed))).toEqual(parsed)
      }),
    )
  })
})

describe('allows', () => {
  it.each([
    [['*'], 'things:read', {}, true],
    [['*'], 'nonsense', {}, false],
    [['things:*'], 'things:read', {}, true],
    [['*:read'], 'things:write', {}, false],
    [['things:read'], 'things:*', {}, false],
    [['deploy'], 'deployments:create', { service: 'db', environment: 'production' }, true],
    [['deploy@db/production'], 'deployments:create', { service: 'db', environment: 'production' }, true],
    [['deploy@db/production'], 'deployments:create', { service: 'db', environment: 'staging' }, false],
    [['deploy@db/production'], 'deployments:create', { service: 'db' }, false],
    [['deploy@db/production'], 'deployments:create', {}, false],
    [['deploy@db/production'], 'deploy@db/production/acme', {}, true],
    [['deploy@db'], 'deploy@db', { service: 'auth' }, false],
    [['*'], 'deploy@db', { service: 'auth' }, false],
    [['deploy@db'], 'deploy', { service: '*' }, false],
    [['constructor'], 'things:read', {}, false],
    [[], 'things:read', {}, false],
  ])('%j, asked for %s on %j: %s', (granted, needed, on, answer) => {
    expect(allows(granted, needed, on)).toBe(answer)
  })
})

describe('allowsSomewhere', () => {
  it.each([
    [['things:read'], true],
    [['things:read@db/production/acme'], true],
    [['things:*@db'], true],
    [['*'], true],
    [['things:write'], false],
    [['deploy'], false],
    [['nonsense'], false],
    [[], false],
  ])('%j is about things:read: %s', (granted, answer) => {
    expect(allowsSomewhere(granted, 'things:read')).toBe(answer)
  })

  it('never refuses what is allowed for some resource', () => {
    expect(allowsSomewhere(['deploy@hello/staging'], 'deployments:create')).toBe(
      allows(['deploy@hello/staging'], 'deployments:create', { service: 'hello', environment: 'staging' }),
    )
  })
})

describe('narrowPermission', () => {
  it.each([
    ['deploy', { service: 'hello', tenant: 'acme' }, 'deployments:create@hello/*/acme'],
    ['things:read', {}, 'things:read'],
    ['not one', { service: 'hello' }, 'not one'],
  ])('%s narrowed to %j reads %s', (permission, resource, text) => {
    expect(narrowPermission(permission, resource)).toBe(text)
  })
})

describe('covers', () => {
  it.each([
    [['*'], ['*'], true],
    [['*:*'], ['*'], true],
    [['things:*'], ['things:read', 'things:write'], true],
    [['things:*'], ['things:read', 'keys:read'], false],
    [['things:read@db'], ['things:read'], false],
    [['things:read'], ['things:read@db'], true],
    [['*'], ['nonsense'], false],
    [[], [], true],
  ])('%j may hand out %j: %s', (granted, requested, answer) => {
    expect(covers(granted, requested)).toBe(answer)
  })

  it('never lets more be handed out than the giver may do', () => {
    fc.assert(
      fc.property(permissions, permissions, permission, resource, (granted, requested, needed, on) => {
        fc.pre(covers(granted, requested) && allows(requested, needed, on))
        return allows(granted, needed, on)
      }),
      { numRuns: 500 },
    )
  })
})

describe('intersect', () => {
  it('allows what both sides allow, and nothing else', () => {
    fc.assert(
      fc.property(
        permissions,
        permissions,
        permission,
        resource,
        (a, b, needed, on) => allows(intersect(a, b), needed, on) === (allows(a, needed, on) && allows(b, needed, on)),
      ),
      { numRuns: 2000 },
    )
  })

  it('narrows each side by the other', () => {
    expect(intersect(['things:*', 'deploy@db'], ['*:read', 'deployments:*@*/production'])).toEqual(['things:read', 'deployments:create@db/production'])
  })
})

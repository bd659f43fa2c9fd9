import { describe, expect, it } from 'vitest'
import namespaces from '../../scripts/worker-namespaces.json' with { type: 'json' }
import { accessOf, branchLabel, ENVIRONMENT_NAMESPACES, namespaceOf, scriptName, TIER_NAMESPACES, urlOf } from '../src/places.ts'

const hello = { tenant: 'default', service: 'hello', environment: 'production' } as const
const acme = { ...hello, tenant: 'acme' }

describe('namespaces', () => {
  it('are those of the scripts', () => {
    expect({ environment: ENVIRONMENT_NAMESPACES, tier: TIER_NAMESPACES }).toEqual({ environment: namespaces.environment, tier: namespaces.tier })
  })

  it('follow the environment, or the tier instead', () => {
    expect([{}, { environment: 'staging' as const }, { tier: 'internal' as const }, { tier: 'tenant' as const }].map(namespaceOf)).toEqual([
      'dotdo-production',
      'dotdo-staging',
      'dotdo-internal',
      'dotdo-tenant',
    ])
  })

  it.each([
    { environment: 'staging', tier: 'public' },
    { environment: 'production', tier: 'internal' },
  ] as const)('are refused where the two contradict each other: %o', (target) => {
    expect(() => namespaceOf(target)).toThrow(/send one of the two/)
  })
})

describe('addresses', () => {
  it.each([
    [hello, undefined, 'https://hello.do/'],
    [hello, 12, 'https://v12.hello.do/'],
    [{ ...hello, environment: 'staging' as const }, undefined, 'https://hello.staging.do/'],
    [{ ...hello, environment: 'development' as const }, 2, 'https://v2.hello.dev.do/'],
    [{ ...hello, environment: 'internal' as const }, undefined, 'https://hello.internal.do/'],
    [acme, undefined, 'https://acme.hello.tenant.do/'],
    [acme, 3, 'https://v3.acme.hello.tenant.do/'],
    [{ ...acme, environment: 'staging' as const }, 3, 'https://v3.acme.hello.staging.do/'],
  ])('are where the dispatcher looks: %o, version %s', (place, version, url) => {
    expect(urlOf(place, '', version)).toBe(url)
  })

  it('follow this deployment', () => {
    expect(urlOf(hello, '.localhost:8787')).toBe('http://hello.do.localhost:8787/')
  })

  it.each([
    ['main', 'main'],
    ['feature/Nice thing', 'feature-nice-thing'],
    ['--x--', 'x'],
    ['ünï', 'n'],
    ['/', null],
    ['', null],
    [undefined, null],
    ['a'.repeat(41) + '-b', 'a'.repeat(41)],
  ])('have the branch %s as %s', (branch, label) => {
    expect(branchLabel(branch)).toBe(label)
  })
})

describe('scripts', () => {
  it('are named after tenant, worker and version, no two alike', () => {
    expect([scriptName(hello, 3), scriptName(acme, 3)]).toEqual(['hello--v3', 'acme--hello--v3'])
  })
})

describe('access', () => {
  it.each([
    [null, hello, undefined, 'public'],
    [null, acme, undefined, 'tenant'],
    ['public', acme, undefined, 'public'],
    [null, acme, 'public', 'public'],
    [null, hello, 'tenant', 'tenant'],
    ['public', { ...hello, environment: 'internal' }, undefined, 'admin'],
  ] as const)('asked for %s at %o in tier %s is %s', (asked, place, tier, access) => {
    expect(accessOf(asked, place, tier)).toBe(access)
  })
})

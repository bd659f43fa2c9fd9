import { describe, expect, it } from 'vitest'
import { limitOf, networkOf } from '../src/limits.ts'
import { chargeOf, findOperation, limitClassOf, ROUTES } from '../src/services.ts'

describe('the network a stranger counts with', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['', ''],
  ])('%s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })

  it('is the same for every address of a /64 and differs for the next', () => {
    expect(networkOf('2001:db8:1:2:ffff::1')).toBe(networkOf('2001:db8:1:2::'))
    expect(networkOf('2001:db8:1:3::')).not.toBe(networkOf('2001:db8:1:2::'))
  })
})

describe('a limit of one’s own', () => {
  it.each([
    [60, { default: 60, ai: 20, auth: 10, batch: 5, workflow: 30, published: 6_000 }],
    [600, { default: 600, ai: 200, auth: 100, batch: 50, workflow: 300, published: 60_000 }],
    [20, { default: 20, ai: 6, auth: 3, batch: 1, workflow: 10, published: 2_000 }],
    [1, { default: 1, ai: 1, auth: 1, batch: 1, workflow: 1, published: 100 }],
  ])('of %i a minute is that of the default class, and raises none where it lowers that', (limitPerMinute, limits) => {
    expect(Object.fromEntries(Object.keys(limits).map((limitClass) => [limitClass, limitOf(limitClass, limitPerMinute)]))).toEqual(limits)
  })
})

describe('what a request draws on', () => {
  it.each([
    ['auth', 'POST', '/login', 'auth'],
    ['auth', 'POST', '/login/code', 'auth'],
    ['auth', 'POST', '/token', 'auth'],
    ['auth', 'POST', '/session/refresh', 'auth'],
    ['auth', 'GET', '/callback', 'auth'],
    ['auth', 'GET', '/login', 'default'],
    ['auth', 'GET', '/authorize', 'default'],
    ['auth', 'POST', '/nothing', 'default'],
    ['db', 'POST', '/login', 'default'],
  ])('by hand of %s, %s %s, is the class %s', (service, method, path, limitClass) => {
    expect(limitClassOf({ service, path }, method)).toBe(limitClass)
  })

  it('costs what the contract says, and no more than its class has', () => {
    const found = findOperation({ service: 'auth', path: '/audit/verify' }, 'GET')

    expect(chargeOf({ service: 'auth', path: '/audit/verify', rule: '' }, 'GET', found)).toEqual({ limitClass: 'default', cost: 10 })
    for (const { operation } of ROUTES) expect(operation.cost ?? 1).toBeLessThanOrEqual(limitOf(operation.limit ?? 'default', 60))
  })
})

import { describe, expect, it } from 'vitest'
import { isPlatformHost, productionHost } from '../src/platform-host.ts'

describe('the production host', () => {
  it.each([
    ['db.do.localhost:8787', '.localhost:8787', 'db.do'],
    ['DB.do.LOCALHOST:8787', '.localhost:8787', 'db.do'],
    ['localhost:8787', '.localhost:8787', 'localhost:8787'],
    ['db.do.localhost:9999', '.localhost:8787', 'db.do.localhost:9999'],
    ['db.do', '', 'db.do'],
  ])('of %s where %j follows is %s', (host, suffix, production) => {
    expect(productionHost(host, suffix)).toBe(production)
  })
})

describe('the platform’s front', () => {
  it.each(['gateway.do', 'api.do', 'localhost', 'localhost:8787', '127.0.0.1:8787', '[::1]:8787', '192.168.1.7'])('answers at %s', (host) => {
    expect(isPlatformHost(host)).toBe(true)
  })

  it.each(['hello.do', 'gateway.do.evil.com', 'localhost.evil.com', 'db.do', '', '1.2.3.4.example.com'])('does not answer at %j', (host) => {
    expect(isPlatformHost(host)).toBe(false)
  })
})

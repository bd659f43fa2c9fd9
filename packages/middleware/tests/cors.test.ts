import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { cors, corsHeaders } from '../src/cors.ts'

const options = { allow: ['https://app.example.com', 'https://*.do', 'http://*.localhost:8787'] }

function allowedOrigin(origin: string, allow = options.allow) {
  return new Headers(corsHeaders(origin, { allow }).map(([name, value]) => [name, value])).get('Access-Control-Allow-Origin')
}

describe('corsHeaders', () => {
  it.each(['https://app.example.com', 'https://db.do', 'https://acme.app.tenant.do', 'http://db.do.localhost:8787'])(
    'allows %s, with credentials',
    (origin) => {
      const headers = corsHeaders(origin, options)

      expect(headers).toContainEqual(['Access-Control-Allow-Origin', origin])
      expect(headers).toContainEqual(['Access-Control-Allow-Credentials', 'true'])
      expect(headers).toContainEqual(['Vary', 'Origin'])
    },
  )

  it.each([
    'null',
    '*',
    'https://*.do',
    'http://db.do',
    'https://do',
    'https://.do',
    'https://evil.com/.do',
    'https://evil.com:443#.do',
    'https://user@evil.do',
    'https://db.do.evil.com',
    'https://db.do:8443',
    'https://evildo',
    'https://app.example.com.evil.com',
    'http://db.localhost',
  ])('tells %s nothing', (origin) => {
    expect(corsHeaders(origin, options)).toEqual([['Vary', 'Origin']])
  })

  it('never allows credentials to everyone', () => {
    const headers = corsHeaders('https://evil.com', { allow: ['*', 'https://db.do'] })

    expect(headers).toContainEqual(['Access-Control-Allow-Origin', '*'])
    expect(headers.map(([name]) => name)).not.toContain('Access-Control-Allow-Credentials')
  })

  it('does not let a wildcard end within a label', () => {
    expect(allowedOrigin('https://evildo', ['https://*do'])).toBeNull()
  })

  it.each(['https://*', 'https://db.*', '*.do', 'https://*.*.do', 'https://a*.do'])('ignores the careless pattern %s', (pattern) => {
    expect(allowedOrigin('https://a.db.do', [pattern])).toBeNull()
  })
})

describe('cors', () => {
  const app = new Hono()
  app.use(cors(options))
  app.get('/', (c) => c.text('ok', 200, { Vary: 'Accept' }))
  app.options('/', (c) => c.text('not a preflight'))
  const preflight = { method: 'OPTIONS', headers: { Origin: 'https://db.do', 'Access-Control-Request-Method': 'POST' } }

  it('answers a preflight itself', async () => {
    const answer = await app.request('/', preflight)

    expect(answer.status).toBe(204)
    expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('https://db.do')
    expect(answer.headers.get('Access-Control-Allow-Methods')).toContain('PATCH')
    expect(answer.headers.get('Access-Control-Allow-Headers')).toContain('Idempotency-Key')
  })

  it('answers the preflight of a foreign page without allowing anything', async () => {
    const answer = await app.request('/', { ...preflight, headers: { ...preflight.headers, Origin: 'https://evil.com' } })

    expect([...answer.headers.keys()]).toEqual(['vary'])
  })

  it('lets a plain OPTIONS through', async () => {
    const answer = await app.request('/', { method: 'OPTIONS' })

    expect(await answer.text()).toBe('not a preflight')
  })

  it('adds to Vary instead of replacing it', async () => {
    const answer = await app.request('/', { headers: { Origin: 'https://db.do' } })

    expect(answer.headers.get('Vary')).toBe('Accept, Origin')
  })
})

import { describe, expect, it } from 'vitest'
import { isListed, refuse } from '../src/outbound.ts'

const open = { worker: 'hello', allow: ['*'] }

describe('published code', () => {
  it.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://0/',
    'http://10.1.2.3/',
    'http://100.64.0.1/',
    'http://169.254.169.254/latest/meta-data',
    'http://172.16.0.1/',
    'http://172.31.255.255/',
    'http://192.168.1.1/',
    'http://198.18.0.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://[::]/',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::10.0.0.1]/',
    'http://[2002:a00:1::]/',
    'http://[fd12:3456::1]/',
    'http://[fe80::1]/',
    'http://[fec0::1]/',
    'http://[ff02::1]/',
    'http://[2001:db8::1]/',
    'http://localhost:8787/',
    'http://localhost./',
    'http://db.do.localhost:8787/',
    'http://LOCALHOST/',
    'http://printer.local/',
    'http://metadata.google.internal/',
    'http://intranet/',
  ])('is kept off %s', (url) => {
    expect(() => refuse(new URL(url), open)).toThrow(expect.objectContaining({ code: 'FORBIDDEN', message: expect.stringContaining('private') as string }))
  })

  it.each([
    'http://example.com/',
    'https://api.example.com:8443/x',
    'http://1.1.1.1/',
    'http://172.32.0.1/',
    'http://100.128.0.1/',
    'http://11.0.0.1/',
    'http://[2606:4700::1111]/',
    'http://[::ffff:1.1.1.1]/',
    'http://localhost.example.com/',
    'http://internal.example.com/',
  ])('may call %s', (url) => {
    expect(() => refuse(new URL(url), open)).not.toThrow()
  })

  it.each(['ftp://example.com/', 'file:///etc/passwd', 'ws://example.com/'])('calls by http and https only, not %s', (url) => {
    expect(() => refuse(new URL(url), open)).toThrow('http and https')
  })

  it('is told what would help where its tenant’s list keeps it off', () => {
    expect(() => refuse(new URL('http://example.com/'), { worker: 'hello', allow: [] })).toThrow('outbound list')
  })
})

describe('a tenant’s list', () => {
  it.each([
    ['example.com', ['example.com'], true],
    ['EXAMPLE.com', ['example.com'], true],
    ['example.com.', ['example.com'], true],
    ['api.example.com', ['example.com'], false],
    ['api.example.com', ['*.example.com'], true],
    ['a.b.example.com', ['*.example.com'], true],
    ['example.com', ['*.example.com'], false],
    ['evilexample.com', ['*.example.com'], false],
    ['example.com.evil.org', ['*.example.com', 'example.com'], false],
    ['anything.org', ['*'], true],
    ['anything.org', [], false],
  ])('%s in %j: %s', (host, allow, expected) => {
    expect(isListed(host, allow)).toBe(expected)
  })
})

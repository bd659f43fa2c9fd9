import { describe, expect, it } from 'vitest'
import { redirectOrigins, returnUrl } from '../src/login/return-to.ts'

const places = { PLATFORM_URL: 'https://gateway.do', LOGIN_REDIRECTS: 'https://app.example/signed-in?from=login, http://localhost:3000/,javascript:alert(1),*' }

describe('where a sign-in ends', () => {
  it.each([
    ['/', 'https://gateway.do/'],
    ['/docs/db?x=1#things', 'https://gateway.do/docs/db?x=1#things'],
    ['/a/../b', 'https://gateway.do/b'],
    ['/%2f%2fevil.example', 'https://gateway.do/%2f%2fevil.example'],
    ['/%5cevil.example', 'https://gateway.do/%5cevil.example'],
    ['/?next=//evil.example', 'https://gateway.do/?next=//evil.example'],
    ['/@evil.example', 'https://gateway.do/@evil.example'],
    ['/.//evil.example', 'https://gateway.do//evil.example'],
    ['/x/..//evil.example', 'https://gateway.do//evil.example'],
    ['https://app.example/signed-in?from=login', 'https://app.example/signed-in?from=login'],
    ['http://localhost:3000/', 'http://localhost:3000/'],
  ])('is %s as asked, on the platform or exactly as it is listed', (asked, url) => {
    expect(returnUrl(asked, places)).toBe(url)
  })

  it.each([
    [undefined],
    [''],
    ['docs'],
    ['//evil.example'],
    ['///evil.example'],
    ['////evil.example'],
    ['/\\evil.example'],
    ['/\\/evil.example'],
    ['\\\\evil.example'],
    ['\\/evil.example'],
    ['/\t/evil.example'],
    ['/\n/evil.example'],
    ['/\r\n/evil.example'],
    ['/\u0000/evil.example'],
    ['\t//evil.example'],
    [' //evil.example'],
    [' https://evil.example'],
    ['https://evil.example'],
    ['HTTPS://evil.example'],
    ['https:evil.example'],
    ['https:/evil.example'],
    ['https://gateway.do'],
    ['https://gateway.do@evil.example'],
    ['https://gateway.do.evil.example'],
    ['https://gateway.do%2eevil.example'],
    ['https://app.example/signed-in'],
    ['https://app.example/signed-in?from=login&x=1'],
    ['https://app.example/signed-in?from=login#x'],
    ['https://app.example.evil.example/signed-in?from=login'],
    ['https://app.example@evil.example/'],
    ['https://APP.example/signed-in?from=login'],
    ['javascript:alert(1)'],
    ['JaVaScRiPt:alert(1)'],
    ['java\nscript:alert(1)'],
    ['data:text/html,x'],
    ['%2f%2fevil.example'],
    ['%68ttps://evil.example'],
    ['*'],
    [`/${'x'.repeat(1_024)}`],
    [`/${'é'.repeat(500)}`],
  ])('is the root for %j', (asked) => {
    expect(returnUrl(asked, places)).toBe('https://gateway.do/')
  })

  it('may be listed by http and https addresses only', () => {
    expect(redirectOrigins(places)).toEqual(['https://app.example', 'http://localhost:3000'])
  })
})

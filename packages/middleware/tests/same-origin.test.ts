import { describe, expect, it } from 'vitest'
import { credentialOf } from '../src/same-origin.ts'

const OWN = 'https://gateway.do'
const COOKIE = { cookie: '__Host-session=token', host: 'gateway.do' }
const UPGRADE = { upgrade: 'websocket' }

function counts(method: string, headers: Record<string, string>): boolean {
  return credentialOf(new Request(`${OWN}/db/things`, { method, headers: { ...COOKIE, ...headers } })) !== undefined
}

describe('a cookie', () => {
  it.each([
    ['a form or script of the page', 'POST', { origin: OWN }],
    ['the same as the browser tells it', 'POST', { origin: OWN, 'sec-fetch-site': 'same-origin' }],
    ['the browser alone tells it', 'DELETE', { 'sec-fetch-site': 'same-origin' }],
    ['a program without a browser reads', 'GET', {}],
    ['a script of the page reads', 'GET', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }],
    ['somebody types the address', 'GET', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['somebody follows a link from elsewhere', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    ['the page opens a WebSocket', 'GET', { ...UPGRADE, origin: OWN }],
  ])('counts when %s', (_, method, headers) => {
    expect(counts(method, headers)).toBe(true)
  })

  it.each([
    ['a foreign page posts', 'POST', { origin: 'https://evil.example' }],
    ['nobody says where a change comes from', 'POST', {}],
    ['nobody says where a deletion comes from', 'DELETE', {}],
    ['a page of a subdomain posts', 'POST', { origin: 'https://blog.gateway.do', 'sec-fetch-site': 'same-site' }],
    ['a page of the same host over plain HTTP posts', 'POST', { origin: 'http://gateway.do' }],
    ['a page on another port posts', 'POST', { origin: 'https://gateway.do:8443' }],
    ['a page whose origin begins alike posts', 'POST', { origin: 'https://gateway.do.evil.example' }],
    ['a sandboxed frame posts', 'POST', { origin: 'null' }],
    ['the browser contradicts the origin', 'POST', { origin: OWN, 'sec-fetch-site': 'cross-site' }],
    ['a navigation from elsewhere posts', 'POST', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
    ['somebody resubmits a form by hand', 'POST', { 'sec-fetch-site': 'none' }],
    ['a foreign page reads', 'GET', { origin: 'https://evil.example' }],
    ['a sandboxed frame reads', 'GET', { origin: 'null' }],
    ['a foreign page shows it as an image', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a page of a subdomain reads', 'GET', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }],
    ['a page of a subdomain frames it', 'GET', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    ['a foreign page opens a WebSocket', 'GET', { ...UPGRADE, origin: 'https://evil.example' }],
    ['nobody says who opens a WebSocket', 'GET', UPGRADE],
    ['the browser says that a foreign page opens a WebSocket', 'GET', { ...UPGRADE, 'sec-fetch-site': 'cross-site' }],
  ])('does not count when %s', (_, method, headers) => {
    expect(counts(method, headers)).toBe(false)
  })

  it('gives way to a header, which counts wherever it comes from', () => {
    const request = new Request(OWN, { method: 'POST', headers: { ...COOKIE, authorization: 'Bearer key', origin: 'https://evil.example' } })

    expect(credentialOf(request)).toEqual({ scheme: 'bearer', token: 'key' })
  })
})

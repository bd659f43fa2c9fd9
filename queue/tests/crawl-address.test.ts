import { isThingId } from '@dot-do/worker-utils/thing-id'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSameSite, pageId, pageUrl } from '../src/crawl/address.ts'
import { refusePrivate } from '../src/crawl/visiting.ts'

const idOf = (url: string) => pageId(new URL(url))

describe('the id of a page', () => {
  it.each([
    ['https://example.com/', 'page/example.com'],
    ['https://example.com/docs/intro.html', 'page/example.com/docs/intro.html'],
    ['http://example.com/docs/', 'page/example.com/docs'],
    ['https://example.com:8443//a//b', 'page/example.com~3a8443/a/b'],
    ['https://example.com/search?q=a/b&c', 'page/example.com/search~3fq~3da~2fb~26c'],
    ['https://example.com/~joe/@me/caf%C3%A9', 'page/example.com/~7ejoe/~40me/caf~c3~a9'],
    ['https://example.com/a%2Fb/.../%zz', 'page/example.com/a~2fb/~2e~2e~2e/~25zz'],
    ['https://bücher.example/', 'page/xn--bcher-kva.example'],
  ])('of %s is %s', async (url, id) => {
    expect(await idOf(url)).toBe(id)
  })

  it('is one that things may have, for any URL', async () => {
    const url = fc.webUrl({ withQueryParameters: true })

    await fc.assert(
      fc.asyncProperty(url, fc.string({ unit: 'binary', maxLength: 600 }), async (start, rest) => {
        expect(await idOf(`${start}/${rest}`)).toSatisfy(isThingId)
      }),
    )
  })

  it('differs for long URLs that differ at their ends', async () => {
    const long = `https://example.com/${'a'.repeat(600)}`

    expect(await idOf(`${long}/one`)).not.toBe(await idOf(`${long}/two`))
    expect(await idOf(`${long}/one`)).toBe(await idOf(`${long}/one`))
    expect(await idOf(`${long}/one`)).toSatisfy(isThingId)
  })
})

describe('a link', () => {
  const base = new URL('https://example.com/docs/intro')

  it.each([
    ['../about#team', 'https://example.com/about'],
    ['//cdn.example.com/x', 'https://cdn.example.com/x'],
    ['?page=2', 'https://example.com/docs/intro?page=2'],
    ['https://joe:secret@example.com/', 'https://example.com/'],
    ['mailto:joe@example.com', undefined],
    ['javascript:alert(1)', undefined],
    ['http://[', undefined],
  ])('%s leads to %s', (link, url) => {
    expect(pageUrl(link, base)?.href).toBe(url)
  })

  it('stays on the site with another protocol or www, and leaves it for another host or port', () => {
    const same = (url: string) => isSameSite(new URL('https://example.com/a'), new URL(url))

    expect(['http://example.com/b', 'https://www.example.com/'].map(same)).toEqual([true, true])
    expect(['https://docs.example.com/', 'https://example.com:8443/', 'https://example.org/'].map(same)).toEqual([false, false, false])
  })
})

describe('what is crawled', () => {
  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.1.2.3/',
    'http://localhost:8787/',
    'http://db.internal/',
    'http://intranet/',
    'ftp://example.com/',
    'https://joe:secret@example.com/',
  ])('is not %s', (url) => {
    expect(() => refusePrivate(new URL(url))).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }) as Error)
  })

  it('is any public host', () => {
    expect(() => refusePrivate(new URL('http://example.com:8080/x'))).not.toThrow()
  })
})

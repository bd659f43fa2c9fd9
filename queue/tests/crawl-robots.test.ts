import { describe, expect, it } from 'vitest'
import { parseRobots } from '../src/crawl/robots.ts'

const allows = (text: string, path: string) => parseRobots(text, 'dotdo-crawler').allows(path)

describe('robots.txt', () => {
  // RFC 9309 §5.1 and §5.2
  it.each([
    ['/publications/', true],
    ['/example/page.html', true],
    ['/example/disallowed.gif', false],
    ['/other', true],
  ])('is read as the first example of RFC 9309 means it: %s', (path, isAllowed) => {
    const text = `User-Agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\nUser-Agent: dotdo-crawler\nAllow: /example/page.html\nAllow: /\nDisallow: /example/disallowed.gif\n`

    expect(allows(text, path)).toBe(isAllowed)
  })

  it('lets the longest pattern decide, whatever the order', () => {
    expect(allows('User-agent: *\nAllow: /a/b\nDisallow: /a', '/a/b/c')).toBe(true)
    expect(allows('User-agent: *\nDisallow: /a/b\nAllow: /a', '/a/b/c')).toBe(false)
    expect(allows('User-agent: *\nDisallow: /a\nAllow: /a', '/a')).toBe(true)
  })

  it.each([
    ['/fish', '/fish.html', false],
    ['/fish', '/Fish', true],
    ['/fish*', '/fishheads', false],
    ['/fish/', '/fish', true],
    ['/*.php', '/folder/any.php.file', false],
    ['/*.php$', '/filename.php', false],
    ['/*.php$', '/filename.php?parameters', true],
    ['/*.php$', '/filename.php/', true],
    ['/fish*.php', '/fishheads/catfish.php?x', false],
    ['/fish*.php', '/Fish.PHP', true],
    ['/$', '/', false],
    ['/$', '/x', true],
    ['/a$b', '/a$b', false],
    ['/*a*a$', '/a', true],
    ['/*a*a$', '/aa', false],
    ['*', '/anything', false],
    ['/search?q=', '/search?q=x', false],
    ['/%7Ejoe', '/~joe', false],
    ['/a%3cd', '/a%3Cd/x', false],
    ['/ツ', '/%E3%83%84', false],
    ['', '/', true],
  ])('takes the pattern %j for %j: %s', (pattern, path, isAllowed) => {
    expect(allows(`User-agent: *\nDisallow: ${pattern}`, path)).toBe(isAllowed)
  })

  it('takes the group that names the crawler, in any case, with any version, and then not that of all others', () => {
    const text = 'User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-agent: DotDo-Crawler/2.1\nCrawl-delay: 9\nDisallow: /private'

    expect(allows(text, '/public')).toBe(true)
    expect(allows(text, '/private')).toBe(false)
    expect(parseRobots(text, 'third').allows('/public')).toBe(false)
  })

  it('joins groups for the same crawler', () => {
    const text = 'User-agent: dotdo-crawler\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n\nUser-agent: dotdo-crawler\nDisallow: /c'

    expect(['/a', '/b', '/c'].map((path) => allows(text, path))).toEqual([false, true, false])
  })

  it('allows everything where it says nothing that is understood', () => {
    for (const text of ['', '<!doctype html><title>Not found</title>', 'Disallow: /', 'user-agent *\ndisallow /', '\0\0\0'])
      expect(allows(text, '/x')).toBe(true)
  })

  it('is read with comments, stray spaces and whatever ends lines', () => {
    expect(allows('\uFEFFUSER-AGENT : * # everybody\r\n  disallow:/a # not this\rDisallow: /b', '/a')).toBe(false)
    expect(allows('User-agent: *\r\nDisallow: /a\rDisallow: /b', '/b')).toBe(false)
  })

  it('is itself always allowed', () => {
    expect(allows('User-agent: *\nDisallow: /', '/robots.txt')).toBe(true)
  })
})

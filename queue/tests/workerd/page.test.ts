import { describe, expect, it } from 'vitest'
import { readHtml, readText } from '../../src/crawl/page.ts'

const page = (html: string, type = 'text/html; charset=utf-8') => readHtml(new Response(html, { headers: { 'Content-Type': type } }))
const bodyText = async (html: string) => (await page(html)).text

describe('a page of HTML', () => {
  it('is read as its title, description, language, text and links', async () => {
    const read = await page(`<!doctype html><html lang="en"><head><title>A &amp; B</title><meta name="Description" content="What &quot;it&quot; is"></head>
      <body><h1>Welcome</h1><p>First   line,
      still it.</p><ul><li>one</li><li>two</li></ul><a href="/next?a=1&amp;b=2">next</a></body></html>`)

    expect(read).toEqual({
      title: 'A & B',
      description: 'What "it" is',
      language: 'en',
      text: '# Welcome\n\nFirst line, still it.\n\n- one\n- two\n\nnext',
      links: ['/next?a=1&b=2'],
      isHidden: false,
    })
  })

  it('has no text of scripts, styles, forms’ buttons and whatever people do not read', async () => {
    const html = `<body>seen<script>var hidden = '<p>no</p>'</script><style>p { hidden }</style><noscript>hidden</noscript><template><p>hidden</p></template>
      <svg><text>hidden</text></svg><button>hidden</button> too</body>`

    expect((await bodyText(html)).replaceAll(/\s+/g, ' ')).toBe('seen too')
  })

  it('keeps the lines of what is preformatted', async () => {
    expect(await bodyText('<p>x</p><pre>if (a)\n  b()</pre><p>y</p>')).toBe('x\n\nif (a)\n  b()\n\ny')
  })

  it('has entities as the characters they mean, markup that was escaped among them', async () => {
    expect(await bodyText('<p>&lt;b&gt; &eacute;&nbsp;&#x1F600; &copy &hellip;</p>')).toBe('<b> é 😀 © …')
  })

  it('is kept from those who ask for it, and its links too', async () => {
    const hidden = await page('<meta name="robots" content="noindex"><p>x</p><a href="/a">a</a>')
    const closed = await page('<meta name="ROBOTS" content="index, NoFollow"><p>x</p><a href="/a">a</a>')
    const neither = await page('<meta name="robots" content="none"><p>x</p><a href="/a">a</a>')

    expect(hidden).toMatchObject({ isHidden: true, text: '', links: ['/a'] })
    expect(closed).toMatchObject({ isHidden: false, text: 'x\n\na', links: [] })
    expect(neither).toMatchObject({ isHidden: true, links: [] })
  })

  it('leaves out links that it does not vouch for', async () => {
    expect((await page('<a href="/a" rel="noopener nofollow">a</a><a href="/b">b</a><a>none</a>')).links).toEqual(['/b'])
  })

  it('is read however badly it is written', async () => {
    expect(await bodyText('<p>one<p>two<li>three</ul></div><br/>four<hr>five')).toMatch(/^one\s+two\s+- three\s+four\s+five$/)
    expect(await bodyText('<h1>open')).toBe('# open')
    expect(await bodyText('')).toBe('')
  })

  it('is read in the encoding that its type tells', async () => {
    const latin = new Response(new Uint8Array([0x3c, 0x70, 0x3e, 0xe9]), { headers: { 'Content-Type': 'text/html; charset=iso-8859-1' } })

    expect((await readHtml(latin)).text).toBe('é')
  })
})

describe('a page of plain text', () => {
  it('is its text', async () => {
    expect(await readText(new Response('  Hello\n<b>'))).toMatchObject({ text: 'Hello\n<b>', title: '', links: [] })
  })
})

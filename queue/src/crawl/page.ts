import { decodeHTML } from 'entities/decode'

/** What is kept of a page. */
export interface Page {
  title: string
  description: string
  language: string
  /** Its text, with `#` before headings and `-` before the items of lists. */
  text: string
  /** What it links to, as it is written there; at most 2,000. */
  links: string[]
  /** Whether it asks not to be kept. */
  isHidden: boolean
}

const MOST_LINKS = 2_000

/** What people do not read. */
const UNREAD = 'head, title, script, style, noscript, template, svg, iframe, select, textarea, button'

/** What stands for itself, with an empty line around it. */
const BLOCKS = 'p, div, section, article, header, footer, main, aside, nav, ul, ol, dl, table, blockquote, pre, figure, form, details, hr'

/** What begins a line of its own. */
const LINES = 'br, tr, dt, dd, summary, figcaption, option, caption'

/** Reads a page of HTML. Links and text of a page whose `robots` is `nofollow` or `noindex` are not for us. */
export async function readHtml(response: Response): Promise<Page> {
  const page = new Reading()
  const rewriter = new HTMLRewriter()
    .on('html', { element: (element) => void (page.language = element.getAttribute('lang') ?? '') })
    .on('title', { text: ({ text }) => void (page.title += text) })
    .on('meta', { element: (element) => page.meta(element) })
    .on('a[href]', { element: (element) => page.link(element) })
    .on(UNREAD, { element: (element) => page.unread(element) })
    .on(BLOCKS, { element: (element) => page.block(element) })
    .on('pre', { element: (element) => page.verbatim(element) })
    .on(LINES, { element: () => page.write('\n') })
    .on('td, th', { element: () => page.write(' ') })
    .on('li', { element: () => page.write('\n- ') })
    .on('h1, h2, h3, h4, h5, h6', { element: (element) => page.heading(element) })
    .onDocument({ text: ({ text }) => page.read(text) })
  await rewriter.transform(response).arrayBuffer()
  return page.done()
}

/** Reads a page of plain text. */
export async function readText(response: Response): Promise<Page> {
  return { title: '', description: '', language: '', text: (await response.text()).trim(), links: [], isHidden: false }
}

/** A page of which a part was read. Text and attributes are as the source has them until all is there: an entity may be cut in two. */
class Reading {
  title = ''
  language = ''
  #description = ''
  #robots = ''
  #text = ''
  #links: string[] = []
  #unread = 0
  #verbatim = 0

  write(text: string): void {
    if (this.#unread === 0) this.#text += text
  }

  read(text: string): void {
    this.write(this.#verbatim > 0 ? text : text.replaceAll(/\s+/g, ' '))
  }

  meta(element: Element): void {
    const name = element.getAttribute('name')?.toLowerCase()
    const content = element.getAttribute('content') ?? ''
    if (name === 'description') this.#description ||= content
    if (name === 'robots') this.#robots += `${content.toLowerCase()},`
  }

  link(element: Element): void {
    const isForeign = (element.getAttribute('rel') ?? '').toLowerCase().split(/\s+/).includes('nofollow')
    if (!isForeign && this.#links.length < MOST_LINKS) this.#links.push(decodeHTML(element.getAttribute('href') ?? '').trim())
  }

  unread(element: Element): void {
    this.#unread++
    atEnd(element, () => this.#unread--)
  }

  block(element: Element): void {
    this.write('\n\n')
    atEnd(element, () => this.write('\n\n'))
  }

  verbatim(element: Element): void {
    this.#verbatim++
    atEnd(element, () => this.#verbatim--)
  }

  heading(element: Element): void {
    this.write(`\n\n${'#'.repeat(Number(element.tagName.slice(1)))} `)
    atEnd(element, () => this.write('\n\n'))
  }

  done(): Page {
    const said = this.#robots.split(',').map((word) => word.trim())
    const says = (word: string) => said.includes(word) || said.includes('none')
    return {
      title: oneLine(this.title),
      description: oneLine(this.#description),
      language: this.language,
      text: says('noindex') ? '' : lines(decodeHTML(this.#text)),
      links: says('nofollow') ? [] : this.#links,
      isHidden: says('noindex'),
    }
  }
}

/** Elements that have no end, such as `<hr>`, take no listener for it. */
function atEnd(element: Element, run: () => void): void {
  if (element.tagName !== 'hr') element.onEndTag(run)
}

function oneLine(text: string): string {
  return decodeHTML(text).replaceAll(/\s+/g, ' ').trim().slice(0, 1_000)
}

function lines(text: string): string {
  const tidy = text.split('\n').map((line) =>
    line
      .replaceAll('\u00a0', ' ')
      .trimEnd()
      .replace(/^ (?! )/, ''),
  )
  return tidy
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim()
}

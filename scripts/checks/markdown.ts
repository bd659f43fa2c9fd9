/** A piece of a Markdown file and the line it stands in. */
export interface Piece {
  text: string
  line: number
}

/** What of a Markdown file can be checked against the tree. */
export interface Markdown {
  /** Targets of links and pictures. */
  links: Piece[]
  /** Texts in backticks, outside code blocks. */
  codes: Piece[]
  /** Every `pnpm …` in it, code blocks too: the words after `pnpm`. */
  commands: Piece[]
  /** The anchors its headings make, as GitHub makes them. */
  anchors: Set<string>
}

/** Reads a Markdown file line by line; links that span lines are not seen. */
export function readMarkdown(text: string): Markdown {
  const lines = text.split('\n')
  const inBlock = fenced(lines)
  const prose = lines.map((line, index) => (inBlock[index] ? '' : line))
  const withoutCode = prose.map((line) => line.replace(/`[^`]*`/g, ''))
  const isCommand = (index: number) => inBlock[index] === true
  return {
    links: piecesOf(withoutCode, /\]\(\s*<?([^)\s>]+)/g),
    codes: piecesOf(prose, /`([^`]+)`/g),
    commands: piecesOf(
      lines.map((line, index) => (isCommand(index) ? line : (line.match(/`[^`]*`/g) ?? []).join(' '))),
      /(?<![\w/-])pnpm(?:@[\w.]+)?((?: [^\s`;&|)#]+)+)/g,
    ),
    anchors: anchorsOf(prose),
  }
}

function fenced(lines: string[]): boolean[] {
  let fence = ''
  return lines.map((line) => {
    const [, mark = ''] = /^\s*(`{3,}|~{3,})/.exec(line) ?? []
    const wasInside = fence !== ''
    if (mark !== '' && (!wasInside || mark.startsWith(fence))) fence = wasInside ? '' : mark
    return wasInside || mark !== ''
  })
}

function piecesOf(lines: string[], pattern: RegExp): Piece[] {
  return lines.flatMap((line, index) => [...line.matchAll(pattern)].map(([, text = '']) => ({ text: text.trim(), line: index + 1 })))
}

function anchorsOf(lines: string[]): Set<string> {
  const seen = new Map<string, number>()
  const headings = lines.flatMap((line) => /^#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1] ?? [])
  const own = headings.map((heading) => {
    const slug = slugOf(heading)
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    return times === 0 ? slug : `${slug}-${times}`
  })
  const written = lines.flatMap((line) => [...line.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = '']) => id))
  return new Set([...own, ...written])
}

/** https://gist.github.com/asabaylus/3071099: lower case, spaces to hyphens, punctuation gone. */
function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

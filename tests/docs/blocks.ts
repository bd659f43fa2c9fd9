/** A fenced block of a Markdown file. */
export interface Block {
  /** The word after the fence: `sh`, `console`, `ts`. */
  language: string
  /** The rest of that line: a path, or `no-run`. */
  title: string
  text: string
  /** Of the opening fence; the first line is 1. */
  line: number
}

/** One command of a block, and what the page says it prints; undefined where the page says nothing. */
export interface Command {
  command: string
  expected: string | undefined
  line: number
}

const SHELLS = new Set(['sh', 'bash', 'console'])

/** The fenced blocks of a Markdown text, in order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: { fence: string; language: string; title: string; line: number; lines: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, fence = '', language = '', title = ''] = /^(`{3,}|~{3,})(\w*)\s*(.*)$/.exec(line) ?? []
    if (open && fence.startsWith(open.fence) && language === '') {
      blocks.push({ language: open.language, title: open.title, text: open.lines.join('\n'), line: open.line })
      open = undefined
    } else if (open) open.lines.push(line)
    else if (fence) open = { fence, language, title: title.trim(), line: index + 1, lines: [] }
  }
  return blocks
}

/** The commands of a page that are to be run. A block tagged `no-run` has none. */
export function commandsOf(markdown: string): Command[] {
  return blocksOf(markdown)
    .filter(({ language, title }) => SHELLS.has(language) && title !== 'no-run')
    .flatMap((block) => (block.language === 'console' ? withOutput(block) : withoutOutput(block)))
}

/** Files that a page shows whole: blocks titled with a path, but for `diff`. */
export function filesOf(markdown: string): { path: string; text: string }[] {
  return blocksOf(markdown)
    .filter(({ language, title }) => title.includes('/') && language !== 'diff')
    .map(({ title, text }) => ({ path: title, text: `${text}\n` }))
}

/** Changes that a page shows to files that are there: blocks `diff` titled with a path. */
export function changesOf(markdown: string): { path: string; text: string }[] {
  return blocksOf(markdown)
    .filter(({ language, title }) => language === 'diff' && title !== '')
    .map(({ title, text }) => ({ path: title, text }))
}

/** Applies a change: each run of lines that is marked ` ` or `-` is found in the file, once, and replaced by those marked ` ` or `+`. A line of `…` parts two runs. */
export function changed(file: string, change: string): string {
  return change.split(/^…\n/m).reduce((text, run) => {
    const lines = run.replace(/\n$/, '').split('\n')
    const before = side(lines, '+')
    const [head, tail, ...more] = text.split(before)
    if (head === undefined || tail === undefined || more.length > 0) throw new Error(`These lines are not in the file once:\n${before}`)
    return head + side(lines, '-') + tail
  }, file)
}

/** The lines of a change without those that carry the other side's mark. */
function side(lines: string[], other: '+' | '-'): string {
  return lines
    .filter((line) => !line.startsWith(other))
    .map((line) => `${line.slice(1)}\n`)
    .join('')
}

/** In a `console` block a command begins with `$ `, goes on while lines end in a backslash, and is followed by what it prints. */
function withOutput({ text, line: first }: Block): Command[] {
  const commands: (Command & { expected: string })[] = []
  let isOpen = false
  for (const [index, line] of text.split('\n').entries()) {
    const current = commands.at(-1)
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), expected: '', line: first + index + 1 })
    else if (!current) throw new Error(`Line ${first + index + 1}: a console block begins with a command, "$ …"`)
    else if (isOpen) current.command += `\n${line}`
    else current.expected += `${line}\n`
    isOpen = line.endsWith('\\') && (isOpen || line.startsWith('$ '))
  }
  return commands
}

function withoutOutput({ text, line: first }: Block): Command[] {
  const commands: Command[] = []
  let isOpen = false
  for (const [index, line] of text.split('\n').entries()) {
    const current = commands.at(-1)
    if (isOpen && current) current.command += `\n${line}`
    else if (line.trim() !== '' && !line.startsWith('#')) commands.push({ command: line, expected: undefined, line: first + index + 1 })
    isOpen = line.endsWith('\\')
  }
  return commands
}

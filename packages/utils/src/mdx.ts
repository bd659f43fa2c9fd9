import { CST, Document, isMap, isNode, isScalar, Lexer, LineCounter, parseDocument, Scalar, visit, type Node } from 'yaml'
import type { JsonValue } from './canonical-json.ts'
import { ServiceError } from './service-error.ts'

/** A text with what stands before it: fields as YAML between two lines of `---`, then the content as it is. */
export interface Mdx {
  frontmatter: Record<string, JsonValue>
  content: string
}

/** How deep frontmatter may be nested; what is stored goes to 64. */
const MAX_DEPTH = 100

/** Strings that older readers of YAML take for something else (`yes`, `2026-11-21`) are put in quotes. */
const PRINTED = { version: '1.2', schema: 'core', compat: 'yaml-1.1', lineWidth: 0, aliasDuplicateObjects: false, doubleQuotedMinMultiLineLength: 1e9 } as const

/** Text of one line without control characters, line separators and byte order marks. */
const SIMPLE = /^[\u0020-\u007E\u00A0-\u2027\u202A-\uFEFE\uFF00-\uFFFD]*$/

/** Lines of which none is empty, begins or ends with a space, or has other characters than that: what a block of YAML carries whole. All else is written in quotes. */
const isParagraph = (text: string): boolean =>
  text.endsWith('\n') &&
  text
    .slice(0, -1)
    .split('\n')
    .every((line) => /^\S(?:.*\S)?$/.test(line) && SIMPLE.test(line))

/**
 * Writes fields and content as one text that parseMdx takes apart again, whatever is in them. An empty line parts the two for the eye and belongs to neither.
 * A text without fields has its two lines of `---`, too, so that content which begins with one is not taken for fields.
 */
export function printMdx({ frontmatter, content }: Mdx): string {
  return `---\n${yamlOf(frontmatter)}---\n${content === '' ? '' : `\n${content}`}`
}

function yamlOf(frontmatter: Record<string, JsonValue>): string {
  if (Object.keys(frontmatter).length === 0) return ''
  const document = new Document(frontmatter, PRINTED)
  visit(document, {
    Scalar(key, scalar) {
      const { value } = scalar
      if (typeof value !== 'string') return
      if (key !== 'key' && isParagraph(value)) scalar.type = Scalar.BLOCK_LITERAL
      else if (!SIMPLE.test(value)) scalar.type = Scalar.QUOTE_DOUBLE
    },
  })
  return document.toString(PRINTED)
}

/**
 * Takes a text apart into fields and content. YAML 1.2 with JSON's kinds of values: a date is a string. One empty line after the fields is dropped; line ends of the content
 * stay as they are. INVALID, naming the line, for fields that are not closed, not YAML, or not what JSON can say.
 */
export function parseMdx(text: string): Mdx {
  const opening = /^\uFEFF?---[ \t]*\r?\n/.exec(text)
  if (!opening) return { frontmatter: {}, content: text }
  // From the line end on, since a closing line may come at once. In a multiline expression ^ would match within a text, too: after U+2028.
  const rest = text.slice(opening[0].length - 1)
  const closing = /\n---[ \t]*(?:\r?\n|$)/.exec(rest)
  if (!closing) throw refused('The frontmatter is not closed by a line of ---')
  const content = rest.slice(closing.index + closing[0].length).replace(/^\r?\n/, '')
  return { frontmatter: fieldsOf(rest.slice(0, closing.index + 1)), content }
}

/** The YAML begins with the end of the opening line, so that its lines are numbered as the file's. */
function fieldsOf(yaml: string): Record<string, JsonValue> {
  refuseBombs(yaml)
  try {
    return parsedFields(yaml)
  } catch (error) {
    throw error instanceof RangeError ? refused(TOO_DEEP, undefined, error) : error
  }
}

function parsedFields(yaml: string): Record<string, JsonValue> {
  const counter = new LineCounter()
  const parsed = parseDocument(yaml, { version: '1.2', schema: 'core', prettyErrors: false, uniqueKeys: false, lineCounter: counter })
  const [problem] = [...parsed.errors, ...parsed.warnings]
  // An overflow within the parser comes out as one of its errors.
  if (problem?.message.includes('call stack')) throw refused(TOO_DEEP, undefined, problem)
  if (problem) throw refused(problem.message, counter.linePos(problem.pos[0]).line, problem)
  if (parsed.contents === null) return {}
  if (!isMap(parsed.contents) && !(isScalar(parsed.contents) && parsed.contents.value === null)) throw refused('The frontmatter must be fields with values')
  demandJson(parsed, (node) => (node.range ? counter.linePos(node.range[0]).line : undefined))
  return (parsed.toJS({ maxAliasCount: 0 }) ?? {}) as Record<string, JsonValue> // demandJson looked at every key and value
}

const TOO_DEEP = 'The frontmatter is nested too deeply'

const NESTING: Partial<Record<string, 1 | -1>> = { 'flow-seq-start': 1, 'flow-map-start': 1, 'flow-seq-end': -1, 'flow-map-end': -1 }

/**
 * Refuses, before any of it is taken apart, what costs a parser more than its length: thousands of levels, anchors, tags. `yaml` calls itself for each level, and its time
 * grows with the square of the number of anchors.
 */
function refuseBombs(yaml: string): void {
  let levels = 0
  let indicators = 0
  let before = ''
  for (const token of new Lexer().lex(yaml)) {
    // What follows this mark is a value's own text.
    const type = before === CST.SCALAR ? 'text' : (CST.tokenType(token) ?? 'text')
    before = token
    if (type === 'anchor' || type === 'alias') throw refused(`${token.slice(0, 64)}: values may not refer to each other; write them out`)
    if (type === 'tag') throw refused(`${token.slice(0, 64)}: values have no tag; they are what JSON can say`)
    levels += NESTING[type] ?? 0
    if (type === 'seq-item-ind' || type === 'explicit-key-ind') indicators += 1
    if (type === 'newline') indicators = 0
    if (levels > MAX_DEPTH || indicators > MAX_DEPTH) throw refused(TOO_DEEP)
  }
}

function demandJson(parsed: Document, lineOf: (node: Node) => number | undefined): void {
  visit(parsed, {
    Map(_key, map, path) {
      if (path.length > 2 * MAX_DEPTH) throw refused(TOO_DEEP)
      const names = new Set<string>()
      for (const { key } of map.items) {
        // A number or null in place of a name is a text once it is JSON.
        const name = isScalar(key) ? String(key.value) : undefined
        const line = isNode(key) ? lineOf(key) : undefined
        if (name === undefined) throw refused('A field has a name that is no text', line)
        if (name === '__proto__') throw refused('No field may be called __proto__', line)
        if (names.has(name)) throw refused(`${name} is there twice`, line)
        names.add(name)
      }
    },
    Scalar(_key, scalar) {
      const { value } = scalar
      const isJson = value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
      if (!isJson) throw refused(`${scalar.source ?? String(value)} is nothing that JSON can say`, lineOf(scalar))
    },
  })
}

function refused(message: string, line?: number, cause?: unknown): ServiceError {
  const told = line === undefined ? message : `Line ${line}: ${message}`
  return new ServiceError('INVALID', told, { details: [{ path: 'frontmatter', message: told }], cause })
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseSync, type Comment } from 'oxc-parser'

/** Any node of a syntax tree, as far as the checks look at it. */
export interface SyntaxNode {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

/** A parsed file. */
export interface Source {
  file: string
  text: string
  program: SyntaxNode
  comments: Comment[]
  /** The line of an offset. */
  lineAt(offset: number): number
}

/** One import, re-export or `import()` with a literal specifier. */
export interface Import {
  specifier: string
  line: number
  node: SyntaxNode
}

/** Parses a TypeScript file; throws for one that is not. */
export async function readSource(root: string, file: string): Promise<Source> {
  return parseSource(file, await readFile(join(root, file), 'utf8'))
}

/** The same, of a text. */
export function parseSource(file: string, text: string): Source {
  const { program, comments, errors } = parseSync(file, text)
  const [first] = errors
  if (first) throw new SyntaxError(`${file}: ${first.message}`)
  const starts = [...text.matchAll(/\n/g)].map(({ index }) => index)
  return { file, text, program: program as unknown as SyntaxNode, comments, lineAt: (offset) => starts.filter((start) => start < offset).length + 1 } // every ESTree node has these fields
}

/** Calls `visit` for each node from the outside in, with the nodes around it, the nearest last. */
export function visitNodes(node: SyntaxNode, visit: (node: SyntaxNode, around: readonly SyntaxNode[]) => void, around: SyntaxNode[] = []): void {
  visit(node, around)
  around.push(node)
  for (const child of Object.values(node).flat()) if (isNode(child)) visitNodes(child, visit, around)
  around.pop()
}

/** Recognises a syntax node among the values of another's fields. */
export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** Everything a file imports, types too. */
export function importsOf({ program, lineAt }: Source): Import[] {
  const imports: Import[] = []
  visitNodes(program, (node) => {
    const source = isNode(node['source']) ? node['source'] : undefined
    if (source && typeof source['value'] === 'string') imports.push({ specifier: source['value'], line: lineAt(node.start), node })
  })
  return imports
}

/** The names a module exports. */
export function exportsOf({ program }: Source): Set<string> {
  const statements = (program['body'] as SyntaxNode[]).filter(({ type }) => type === 'ExportNamedDeclaration') // a program's body is its statements
  return new Set(statements.flatMap((statement) => [...nested(statement, 'specifiers', 'exported'), ...nested(statement, 'declaration', 'id')]))
}

function nested(statement: SyntaxNode, field: string, name: string): string[] {
  return [statement[field]].flat().flatMap((part) => {
    const named = isNode(part) ? part[name] : undefined
    return isNode(named) && typeof named['name'] === 'string' ? [named['name']] : []
  })
}

import { codeUnder } from './files.ts'
import type { Problem } from './problem.ts'
import { importsOf, isNode, readSource, visitNodes, type Source, type SyntaxNode } from './syntax.ts'

/** The habits that no linter has a rule for: how zod and neighbours are imported, `#private`, no enums, and that every test runs, always. */
export async function idioms(root: string): Promise<Problem[]> {
  const sources = await Promise.all((await codeUnder(root)).map((file) => readSource(root, file)))
  return sources.flatMap((source) => [...badImports(source), ...badNodes(source)])
}

function badImports(source: Source): Problem[] {
  return importsOf(source).flatMap(({ specifier, line, node }) => {
    const message = specifier === 'zod' ? badZod(node) : badRelative(specifier)
    return message ? [{ file: source.file, line, message }] : []
  })
}

function badZod(node: SyntaxNode): string | undefined {
  if (node.type !== 'ImportDeclaration') return undefined
  const specifiers = [node['specifiers']].flat().filter(isNode)
  const [only] = specifiers
  const local = only && isNode(only['local']) ? only['local']['name'] : undefined
  const isWhole = specifiers.length === 1 && only?.type === 'ImportNamespaceSpecifier' && local === 'z'
  return isWhole ? undefined : "import zod as `import * as z from 'zod'`: any other form bundles all of it"
}

function badRelative(specifier: string): string | undefined {
  if (!/^\.{1,2}\//.test(specifier) || /\.[a-z]+$/.test(specifier)) return undefined
  return `relative import "${specifier}" needs its extension (.ts)`
}

const TESTS = new Set(['describe', 'it', 'test', 'suite', 'bench'])
const NOT_ALWAYS_RUN = new Set(['only', 'skip', 'todo', 'skipIf', 'runIf', 'fails'])

function badNodes({ file, program, lineAt }: Source): Problem[] {
  const problems: Problem[] = []
  visitNodes(program, (node) => {
    const message = badNode(node)
    if (message) problems.push({ file, line: lineAt(node.start), message })
  })
  return problems
}

function badNode(node: SyntaxNode): string | undefined {
  if (node.type === 'TSEnumDeclaration') return 'an enum does not erase: write a union of literals'
  if (node['accessibility'] === 'private') return 'RPC can reach what TypeScript calls private: write `#name`'
  if (node.type !== 'MemberExpression' || !isNode(node['property'])) return undefined
  const name = node['property']['name']
  if (typeof name !== 'string' || !NOT_ALWAYS_RUN.has(name) || !TESTS.has(rootName(node))) return undefined
  return `\`.${name}\`: a test runs always, or it is not there`
}

function rootName(node: SyntaxNode): string {
  const inner = node['object'] ?? node['callee']
  return isNode(inner) ? rootName(inner) : String(node['name'])
}

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeUnder } from './files.ts'
import type { Problem } from './problem.ts'
import { isNode, parseSource, visitNodes, type Source, type SyntaxNode } from './syntax.ts'

/** Lines a file may have. */
const FILE_LINES = 250

/** Lines a function may have. */
const FUNCTION_LINES = 40

/** Lines of code the kernel has less than, all that ships of it together: what every call goes through must be readable in one sitting. Comments make that easier, so they do not count. */
const KERNEL_LINES = 800
const KERNEL = 'packages/kernel/src/'

/** No file or function is longer than a reader can hold, unless a comment `// long: <reason>` stands next to it: in a file's first lines, or on the line before a function or its first one. */
export async function sizes(root: string): Promise<Problem[]> {
  const files = await codeUnder(root)
  const sources = await Promise.all(files.map(async (file) => parseSource(file, await readFile(join(root, file), 'utf8'))))
  return [...sources.flatMap((source) => [...longFile(source), ...longFunctions(source)]), ...largeKernel(sources)]
}

function linesOf({ text }: Source): number {
  return text.replace(/\n$/, '').split('\n').length
}

/** Lines that are neither blank nor wholly comment. */
function codeLinesOf({ text }: Source): number {
  return text.split('\n').filter((line) => !/^\s*(\/\/|\/\*|\*|$)/.test(line)).length
}

function longFile(source: Source): Problem[] {
  const lines = linesOf(source)
  if (lines <= FILE_LINES || reasons(source).some((line) => line <= 5)) return []
  return [{ file: source.file, message: `has ${lines} lines; a file has at most ${FILE_LINES}, or says why: // long: <reason>` }]
}

function longFunctions(source: Source): Problem[] {
  const { file, program, lineAt } = source
  const excused = new Set(reasons(source))
  const problems: Problem[] = []
  visitNodes(program, (node, around) => {
    if (!isFunction(node) || isPartOfSuite(node, around)) return
    const start = lineAt(node.start)
    const lines = lineAt(node.end) - start + 1
    if (lines <= FUNCTION_LINES || excused.has(start - 1) || excused.has(start)) return
    problems.push({ file, line: start, message: `a function of ${lines} lines; at most ${FUNCTION_LINES}, or it says why: // long: <reason>` })
  })
  return problems
}

/** The lines of comments that give a reason for length. */
function reasons({ comments, lineAt }: Source): number[] {
  return comments.filter(({ type, value }) => type === 'Line' && /^ long: \S/.test(value)).map(({ start }) => lineAt(start))
}

function isFunction({ type, body }: SyntaxNode): boolean {
  return /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type) && isNode(body)
}

/** The callbacks of a test file's suites and tests: they are lists of cases, not algorithms. */
function isPartOfSuite(node: SyntaxNode, around: readonly SyntaxNode[]): boolean {
  const call = around.at(-1)
  return call?.type === 'CallExpression' && call['callee'] !== node && /^(describe|it|test|suite)$/.test(calledName(call))
}

function calledName(node: SyntaxNode): string {
  const inner = node['callee'] ?? node['object'] ?? node['tag']
  return isNode(inner) ? calledName(inner) : String(node['name'])
}

function largeKernel(sources: Source[]): Problem[] {
  const shipped = sources.filter(({ file }) => file.startsWith(KERNEL) && !file.endsWith('/testing.ts'))
  const lines = shipped.reduce((total, source) => total + codeLinesOf(source), 0)
  if (lines < KERNEL_LINES) return []
  return [{ file: KERNEL.slice(0, -1), message: `has ${lines} lines of code in total; the kernel stays under ${KERNEL_LINES}` }]
}

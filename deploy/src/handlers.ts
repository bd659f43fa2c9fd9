/** A node of acorn's tree (ESTree), as far as it is looked at. */
export interface SyntaxNode {
  type: string
  loc: { start: { line: number; column: number } }
  name?: string
  value?: unknown
  computed?: boolean
  id?: SyntaxNode | null
  init?: SyntaxNode | null
  key?: SyntaxNode
  source?: SyntaxNode | null
  superClass?: SyntaxNode | null
  declaration?: SyntaxNode | null
  declarations?: SyntaxNode[]
  properties?: SyntaxNode[]
  specifiers?: SyntaxNode[]
  local?: SyntaxNode
  exported?: SyntaxNode | null
  body?: unknown
}

/** A parsed module. */
export interface Program extends SyntaxNode {
  body: SyntaxNode[]
}

const LITERALS = new Set(['Literal', 'TemplateLiteral', 'ArrayExpression', 'FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

/**
 * Whether a module has something to call: a default export with `fetch`, or a class of its own that extends another.
 * What cannot be told without running it, an imported value or the answer of a call, counts as a handler; the smoke test has the last word.
 */
export function hasHandler(program: Program): boolean {
  const declared = declaredIn(program)
  return program.body.some((statement) => isHandlerExport(statement, declared))
}

function isHandlerExport(statement: SyntaxNode, declared: ReadonlyMap<string, SyntaxNode>): boolean {
  const { type, declaration, source, specifiers = [] } = statement
  if (type === 'ExportAllDeclaration') return true
  if (type === 'ExportDefaultDeclaration') return declaration ? mayFetch(declaration, declared) : false
  if (type !== 'ExportNamedDeclaration') return false
  if (declaration) return declarationsOf(declaration).some(([, value]) => isEntrypoint(value))
  return specifiers.some(({ local, exported }) => {
    if (source) return true
    const value = declared.get(local?.name ?? '')
    if (!value) return true
    return nameOf(exported) === 'default' ? mayFetch(value, declared) : isEntrypoint(value)
  })
}

/** Top-level names and what they are made of; what is imported or assigned elsewhere is not among them. */
function declaredIn({ body }: Program): Map<string, SyntaxNode> {
  return new Map(body.flatMap((statement) => declarationsOf(statement.type === 'ExportNamedDeclaration' ? (statement.declaration ?? statement) : statement)))
}

function declarationsOf(node: SyntaxNode): [string, SyntaxNode][] {
  if (node.type === 'ClassDeclaration' || node.type === 'FunctionDeclaration') return [[node.id?.name ?? '', node]]
  return (node.declarations ?? []).flatMap(({ id, init }): [string, SyntaxNode][] => (id?.type === 'Identifier' && init ? [[id.name ?? '', init]] : []))
}

function mayFetch(value: SyntaxNode, declared: ReadonlyMap<string, SyntaxNode>): boolean {
  if (LITERALS.has(value.type)) return false
  if (value.type === 'Identifier') {
    const known = declared.get(value.name ?? '')
    return known === undefined || known.type === 'Identifier' || mayFetch(known, declared)
  }
  if (value.type !== 'ObjectExpression') return true
  return (value.properties ?? []).some(({ type, key, computed }) => type === 'SpreadElement' || computed || nameOf(key) === 'fetch')
}

function isEntrypoint(value: SyntaxNode): boolean {
  if (value.type === 'ClassDeclaration' || value.type === 'ClassExpression') return Boolean(value.superClass)
  return value.type === 'CallExpression' || value.type === 'MemberExpression'
}

function nameOf(node: SyntaxNode | null | undefined): unknown {
  return node?.name ?? node?.value
}

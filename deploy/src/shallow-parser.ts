import { Parser } from 'acorn'

interface Body {
  body: unknown
}

interface Scope {
  var: string[]
  lexical: string[]
  functions: string[]
}

/** What acorn's parser has beyond its types, and its plugins override (github.com/acornjs/acorn, acorn/src/statement.js and scope.js). */
interface OpenParser {
  scopeStack: Scope[]
  enterScope(flags: number): void
  parseFunctionBody(node: Body, ...rest: unknown[]): void
}

/** Names of a scope. acorn looks each new one up among all before: a bundle of sixty thousand functions took it twenty seconds. */
class Names extends Array<string> {
  readonly #known = new Set<string>()

  override push(...names: string[]): number {
    for (const name of names) this.#known.add(name)
    return super.push(...names)
  }

  /** acorn asks only whether a name is there. */
  override indexOf(name: string): number {
    return this.#known.has(name) ? 0 : -1
  }
}

/** A parser that forgets the inside of functions once it is checked: the tree of a bundle of megabytes would not fit a Worker's memory. */
export const ShallowParser = Parser.extend((Base) => {
  const open = Base as unknown as new (...values: never[]) => OpenParser // the methods are there, as acorn's plugins rely on; they are only not typed
  class Shallow extends open {
    override enterScope(flags: number): void {
      super.enterScope(flags)
      const [top] = this.scopeStack
      if (this.scopeStack.length === 1 && top) Object.assign(top, { var: new Names(), lexical: new Names(), functions: new Names() })
    }

    override parseFunctionBody(node: Body, ...rest: unknown[]): void {
      super.parseFunctionBody(node, ...rest)
      node.body = { type: 'BlockStatement', body: [] }
    }
  }
  return Shallow as unknown as typeof Parser
})

import type { AnyOperation, Contract, Route } from './contract.ts'

/** A route taken apart. `parameters` are in the order of the path; `pattern` matches a path and names their texts. */
export interface ParsedRoute {
  method: string
  path: string
  parameters: string[]
  pattern: RegExp
}

/** An operation that answers over HTTP, ready to be matched against requests. */
export interface RoutedOperation {
  name: string
  operation: AnyOperation
  route: ParsedRoute
}

/** The operation that a request is for, with the texts of its path parameters decoded. */
export interface MatchedOperation {
  routed: RoutedOperation
  parameters: Record<string, string>
}

/**
 * Takes a route apart. In the last place, `:name+` takes the rest of the path, and `:name*` takes it where it names many, by a `*` or by no more than a `::Type`;
 * the path without it is the operation's, too, with `name` in the query string. Throws when either stands anywhere but last.
 */
export function parseRoute(route: Route): ParsedRoute {
  const [method = '', whole = ''] = route.split(' ')
  const greedy = /:\w+[+*]/.exec(whole)?.[0]
  if (greedy && !whole.endsWith(`/${greedy}`)) throw new TypeError(`Route "${route}": "${greedy}" takes the rest of the path, so it comes last`)
  const [path = '', many] = whole.split(/\/:(\w+)\*$/)
  const parameters = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name)
  return { method, path, parameters, pattern: new RegExp(`^${sourceOf(path)}${many === undefined ? '' : sourceOfMany(many)}$`) }
}

/** The operations of a contract that answer over HTTP, in its order. */
export function routedOperations({ operations }: Contract): RoutedOperation[] {
  return Object.entries(operations).flatMap(([name, operation]) => (operation.http ? [{ name, operation, route: parseRoute(operation.http) }] : []))
}

/** The first operation whose route a request fits. A HEAD is a GET without the body. */
export function matchOperation(routed: readonly RoutedOperation[], method: string, path: string): MatchedOperation | undefined {
  const asked = method === 'HEAD' ? 'GET' : method
  for (const candidate of routed) {
    const match = candidate.route.method === asked && candidate.route.pattern.exec(path)
    if (match) return { routed: candidate, parameters: decoded(match.groups) }
  }
  return undefined
}

function sourceOf(path: string): string {
  return path
    .replaceAll(/[.*?()[\]{}|\\^$]/g, '\\$&')
    .replaceAll(/:(\w+)\+/g, '(?<$1>.+)')
    .replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')
}

/** What names many things, as it may be encoded: anything with a `*`, `::Type`, `Thing::Type`. */
function sourceOfMany(name: string): string {
  return `(?:/(?<${name}>.*(?:\\*|%2[Aa]).*|(?:Thing)?(?:::|%3[Aa]%3[Aa]).+))?`
}

function decoded(groups: Record<string, string | undefined> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(groups ?? {}).flatMap(([name, text]) => (text === undefined ? [] : [[name, decodedText(text)]])))
}

/** What is not well encoded stays as it is, for the schema to judge. */
function decodedText(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

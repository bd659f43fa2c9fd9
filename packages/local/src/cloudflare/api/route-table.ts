import { CloudflareError } from '../errors.ts'
import type { Handler, Route } from './context.ts'

/** What a path leads to. */
export interface Match {
  handler: Handler
  params: Record<string, string>
}

/** Finds the handler for a method and a path. */
export type Find = (method: string, path: string) => Match

/** Makes a table of routes searchable. A path that is nobody's is refused as Cloudflare refuses it, a method that a path does not take likewise. */
export function routeTable(routes: readonly Route[]): Find {
  const compiled = routes.map(([method, path, handler]) => ({ method, handler, names: namesIn(path), pattern: patternOf(path) }))
  return (method, path) => {
    const found = compiled.filter(({ pattern }) => pattern.test(path))
    const route = found.find((one) => one.method === method)
    if (route === undefined) throw found.length > 0 ? methodNotAllowed(method) : noRoute(path)
    const values = route.pattern.exec(path)?.slice(1) ?? []
    return { handler: route.handler, params: Object.fromEntries(route.names.map((name, index) => [name, decode(values[index] ?? '', path)])) }
  }
}

/** The path leads nowhere, or names an object that cannot be. */
export function noRoute(path: string): CloudflareError {
  return new CloudflareError(404, 7003, `Could not route to ${path}, perhaps your object identifier is invalid?`)
}

function methodNotAllowed(method: string): CloudflareError {
  return new CloudflareError(405, 10_000, `${method} method not allowed for the api_token authentication scheme`)
}

function namesIn(path: string): string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name]) => String(name))
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:\w+/g, '([^/]+)')}/?$`)
}

function decode(text: string, path: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw noRoute(path)
  }
}

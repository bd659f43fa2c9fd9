import type { Route } from './contract.ts'

/** A route taken apart. `parameters` are in the order of the path; `greedy` is the last one, if it takes the rest of the path. */
export interface ParsedRoute {
  method: string
  path: string
  parameters: string[]
  greedy: string | undefined
}

/** Takes a route apart; throws when `:name+` stands anywhere but last. */
export function parseRoute(route: Route): ParsedRoute {
  const [method = '', path = ''] = route.split(' ')
  const named = [...path.matchAll(/:(\w+)(\+?)/g)]
  const greedy = named.find(([, , plus]) => plus)?.[1]
  if (greedy && !path.endsWith(`:${greedy}+`)) throw new TypeError(`Route "${route}": ":${greedy}+" takes the rest of the path, so it comes last`)
  return { method, path, parameters: named.map(([, name = '']) => name), greedy }
}

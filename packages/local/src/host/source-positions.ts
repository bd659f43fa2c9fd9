import { SourceMap } from 'node:module'

/** workerd shows a module under the folder the host was started in. */
const POSITION = /(?:file:\/\/\/(?:[^\s():]*\/)?)?\b([a-z][a-z0-9-]*)\.js:(\d+):(\d+)/g

/**
 * Replaces the positions of bundled code in a stack trace, `db.js:812:9`, by those of the sources, `db/src/service.ts:31:5`.
 * What no map knows stays as it is.
 */
export function sourcePositions(text: string, mapOf: (service: string) => SourceMap | undefined): string {
  return text.replaceAll(POSITION, (bundled, ...groups: string[]) => {
    const [service = '', line, column] = groups
    const entry = mapOf(service)?.findEntry(Number(line) - 1, Number(column) - 1)
    return entry && 'originalSource' in entry ? `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}` : bundled
  })
}

/** A look-up that reads a service's source map when it is first asked for. */
export function lazySourceMaps(jsonOf: (service: string) => string | undefined): (service: string) => SourceMap | undefined {
  const read = new Map<string, { json: string; map: SourceMap }>()
  return (service) => {
    const json = jsonOf(service)
    if (json === undefined) return undefined
    const known = read.get(service)
    if (known?.json === json) return known.map
    const map = new SourceMap(JSON.parse(json))
    read.set(service, { json, map })
    return map
  }
}

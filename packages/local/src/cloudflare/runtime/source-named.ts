import { SourceMap } from 'node:module'
import type { ScriptSource } from './delivery.ts'
import type { TailEvent } from './protocol.ts'

/** A position in a module as V8 writes it in a stack. */
const POSITION = /\b(?:file:\/\/\/)?([\w./-]+\.[cm]?js):(\d+):(\d+)/g

/** Replaces positions in the stacks of an event's exceptions and errors by those in the script's sources, as far as its source maps know them. */
export async function sourceNamed(store: ScriptSource, event: TailEvent): Promise<TailEvent> {
  if (!JSON.stringify([event.exceptions, event.logs]).includes('js:')) return event
  const maps = await sourceMapsOf(store, event)
  if (maps.size === 0) return event
  const named = (text: string): string => text.replaceAll(POSITION, (shown, ...found: string[]) => positionIn(maps, found) ?? shown)
  return {
    ...event,
    exceptions: event.exceptions.map((exception) => ({ ...exception, ...(exception.stack === undefined ? {} : { stack: named(exception.stack) }) })),
    logs: event.logs.map((log) => ({ ...log, message: namedWithin(log.message, named) })),
  }
}

/** A script's source maps, by the module they are about. */
async function sourceMapsOf(store: ScriptSource, { dispatchNamespace, scriptName }: TailEvent): Promise<Map<string, SourceMap>> {
  const script = await store.getScript(dispatchNamespace, scriptName)
  const maps = new Map<string, SourceMap>()
  for (const module of script?.modules ?? []) {
    if (module.type !== 'sourcemap') continue
    maps.set(module.name.replace(/\.map$/, ''), new SourceMap(JSON.parse((await store.readBlob(module)).toString())))
  }
  return maps
}

function positionIn(maps: ReadonlyMap<string, SourceMap>, [module = '', line, column]: string[]): string | undefined {
  const entry = maps.get(module)?.findEntry(Number(line) - 1, Number(column) - 1)
  return entry && 'originalSource' in entry ? `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}` : undefined
}

function namedWithin(message: unknown, named: (text: string) => string): unknown {
  if (typeof message === 'string') return named(message)
  return Array.isArray(message) ? message.map((part: unknown) => namedWithin(part, named)) : message
}

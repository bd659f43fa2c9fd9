import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

/** The storage of a Durable Object as far as the spool uses it, over the same engine: SQLite. Several objects may open one storage after another, as restarts do. */
export function durableStorage(): DurableObjectStorage {
  const database = new DatabaseSync(':memory:')
  const kept = new Map<string, unknown>()
  const exec = (query: string, ...values: SQLInputValue[]) => {
    if (values.length === 0 && /;\s*\S/.test(query)) return database.exec(query)
    const rows = database.prepare(query).all(...values)
    return { toArray: () => rows, one: () => rows[0], [Symbol.iterator]: () => rows.values() }
  }
  const transactionSync = (run: () => unknown): unknown => {
    database.exec('begin')
    try {
      const result = run()
      database.exec('commit')
      return result
    } catch (thrown) {
      database.exec('rollback')
      throw thrown
    }
  }
  const kv = { get: (key: string) => kept.get(key), put: (key: string, value: unknown) => kept.set(key, value), delete: (key: string) => kept.delete(key) }
  return { sql: { exec }, kv, transactionSync } as unknown as DurableObjectStorage // the spool asks it for nothing else
}

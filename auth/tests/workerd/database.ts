import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Where the database listens, and what its roles' passwords are derived from. */
export interface Database {
  address: string
  roleSecret: string
}

declare module 'vitest' {
  interface ProvidedContext {
    authDatabase: Database
  }
}

/** Starts the database that db on workerd speaks to. It has a process of its own, since Vite's module runner cannot load PGlite. */
export async function setup({ provide }: { provide(name: 'authDatabase', database: Database): void }) {
  const child = fork(join(import.meta.dirname, 'database-process.ts'))
  const exit = once(child, 'exit')
  const [database] = (await Promise.race([once(child, 'message'), exit.then(([code]) => Promise.reject(new Error(`The database ended with ${code}`)))])) as [
    Database,
  ]
  provide('authDatabase', database)
  return async () => {
    child.disconnect()
    await exit
  }
}

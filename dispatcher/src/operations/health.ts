import { dispatcher } from '@dot-do/worker-contracts/dispatcher'
import { batch } from '@dot-do/worker-data/database'
import { checkHealth } from '@dot-do/worker-kernel/health'
import type { Operations } from '../operations.ts'
import { readPointer } from '../pointers.ts'

/** Nobody publishes under this name: it is reserved. */
const NOBODYS = { tenant: 'default', worker: 'health' }

export const health: Operations['health'] = (_input, call) =>
  checkHealth(dispatcher, {
    db: async () => {
      await batch(call, [{ sql: 'select 1', params: [] }])
    },
    pointers: async () => {
      await readPointer(NOBODYS, call.env)
    },
  })

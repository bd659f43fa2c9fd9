import { auth } from '@dot-do/worker-contracts/auth'
import { batch } from '@dot-do/worker-data/database'
import { checkHealth } from '@dot-do/worker-kernel/health'
import type { Operations } from '../operations.ts'

export const health: Operations['health'] = (_input, call) =>
  checkHealth(auth, {
    db: async () => {
      await batch(call, [{ sql: 'select 1', params: [] }])
    },
  })

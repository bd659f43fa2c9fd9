import { db } from '@dot-do/worker-contracts/db'
import { checkHealth } from '@dot-do/worker-kernel/health'
import { connectionAs } from '../database.ts'
import type { Operations } from '../operations.ts'

export const health: Operations['health'] = (_input, { env }) =>
  checkHealth(db, {
    postgres: async () => {
      const connection = await connectionAs('db', env)
      await connection([{ sql: 'select 1', params: [] }])
    },
  })

import { auth } from '@dot-do/worker-contracts/auth'
import { batch } from '@dot-do/worker-data/database'
import { checkHealth } from '@dot-do/worker-kernel/health'
import { providersHealth } from '../login/providers/configured.ts'
import { mailHealth } from '../mail.ts'
import type { Operations } from '../operations.ts'
import { sessionsHealth } from '../sessions/access-tokens.ts'

export const health: Operations['health'] = (_input, call) =>
  checkHealth(auth, {
    db: async () => {
      await batch(call, [{ sql: 'select 1', params: [] }])
    },
    sessions: async () => sessionsHealth(call.env),
    mail: async () => mailHealth(call.env),
    providers: async () => providersHealth(call.env),
  })

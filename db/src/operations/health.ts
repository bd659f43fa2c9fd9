import { db } from '@dot-do/worker-contracts/db'
import { checkHealth, type Probe } from '@dot-do/worker-kernel/health'
import { toServiceError } from '@dot-do/worker-utils'
import { reachClickHouse } from '../analytics/clickhouse.ts'
import { spoolOf } from '../analytics/tracking.ts'
import { connectionAs } from '../database.ts'
import type { Env } from '../env.ts'
import type { Operations } from '../operations.ts'

export const health: Operations['health'] = (_input, { env }) =>
  checkHealth(db, {
    postgres: async () => {
      const connection = await connectionAs('db', env)
      await connection([{ sql: 'select 1', params: [] }])
    },
    clickhouse: analyticsProbe(env),
  })

/** Without ClickHouse nothing is lost: events wait. So it is never worse than degraded. */
function analyticsProbe(env: Env): Probe {
  return async () => {
    const [reached, { waiting, failure }] = await Promise.all([
      reachClickHouse(env).then(
        () => undefined,
        (thrown: unknown) => toServiceError(thrown).message,
      ),
      spoolOf(env).state(),
    ])
    const reason = reached ?? failure
    return reason === undefined ? undefined : { status: 'degraded', message: `${reason}; ${waiting} events wait` }
  }
}

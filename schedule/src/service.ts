import { schedule } from '@dot-do/worker-contracts/schedule'
import { batch } from '@dot-do/worker-data/database'
import { postgresLedger } from '@dot-do/worker-data/ledger'
import { trackCalls } from '@dot-do/worker-data/tracking'
import { checkHealth } from '@dot-do/worker-kernel/health'
import { implement } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/schedule.json' with { type: 'json' }
import type { Env } from './env.ts'
import { listAlerts } from './operations/alerts.ts'
import { checkRateLimits, checkServices } from './operations/checks.ts'
import * as reading from './operations/reading.ts'
import * as runs from './operations/runs.ts'
import * as tasks from './operations/tasks.ts'
import { SCHEMA } from './tables.ts'

/** What schedule does, by contract. */
export const service = implement<typeof schedule, Env>(
  schedule,
  {
    health: (_input, call) =>
      checkHealth(schedule, {
        db: async () => {
          await batch(call, [{ sql: 'select 1', params: [] }])
        },
      }),
    createTask: tasks.createTask,
    updateTask: tasks.updateTask,
    deleteTask: tasks.deleteTask,
    enable: tasks.enable,
    disable: tasks.disable,
    getTask: reading.getTask,
    listTasks: reading.listTasks,
    runNow: runs.runNow,
    history: reading.history,
    executions: reading.executionsOf,
    getExecution: reading.getExecution,
    cancelExecution: runs.cancelExecution,
    preview: reading.preview,
    previewTiming: reading.previewTiming,
    backfill: runs.backfill,
    listAlerts,
    settleExecution: runs.settleExecution,
    checkServices,
    checkRateLimits,
    cleanUpExecutions: runs.cleanUpExecutions,
  },
  { document, ledger: postgresLedger(SCHEMA), observed: trackCalls('schedule') },
)

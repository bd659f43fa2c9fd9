import { contract, type MessageOf, type ServiceOf } from './contract.ts'
import { health } from './health.ts'
import { executionOperations } from './schedule-executions.ts'
import { taskOperations } from './schedule-tasks.ts'

export const schedule = contract(
  'schedule',
  { summary: 'Work at a time: tasks by cron expression, interval or date, in any time zone', version: '0.1.0' },
  { health, ...taskOperations, ...executionOperations },
)

/** What a binder of schedule sees. */
export type Schedule = ServiceOf<typeof schedule>

/** What schedule's queue accepts. */
export type ScheduleMessage = MessageOf<typeof schedule>

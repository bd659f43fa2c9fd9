import { log, toServiceError } from '@dot-do/worker-utils'
import type { Env } from './env.ts'
import type { TaskClock } from './task-clock.ts'

/** The object whose alarm is a task's clock. */
export function clockOf(taskId: string, env: Pick<Env, 'TaskClocks'>): DurableObjectStub<TaskClock> {
  return env.TaskClocks.getByName(taskId)
}

/** Lets a task's clock look after it now. What is stored is stored: where the clock cannot be reached, the cron that repairs clocks will. */
export async function wakeClock(taskId: string, env: Pick<Env, 'TaskClocks'>): Promise<void> {
  try {
    await clockOf(taskId, env).wake(taskId)
  } catch (thrown) {
    log('warn', 'clock_unreachable', { task: taskId, cause: toServiceError(thrown).cause })
  }
}

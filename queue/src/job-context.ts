import type { Progress } from '@dot-do/worker-contracts/job'
import type { Call } from '@dot-do/worker-kernel/call'
import type * as z from 'zod'
import type { Env } from './env.ts'
import type { JobRow } from './job-row.ts'

/** What one of queue's own operations knows of the job it is run as. */
export interface JobContext {
  job: JobRow
  /** Whether the job should end: somebody cancelled it, or it was given to another runner. */
  isCancelled(): boolean
  /** Tells how far it is. */
  progress(progress: z.input<typeof Progress>): Promise<void>
  /** Gives the job back until a time, or until one of its steps ends. The attempt does not count; whatever the operation answers after this is not looked at. */
  park(until: string): void
  /** Says that what is thrown next would be thrown by any further attempt, too: the job is dead then. */
  giveUp(): void
}

const contexts = new WeakMap<Call<Env>, JobContext>()

/** The job that a call is made for; undefined where it came from anywhere else. */
export function jobContextOf(call: Call<Env>): JobContext | undefined {
  return contexts.get(call)
}

/** Says which job a call is made for. */
export function setJobContext(call: Call<Env>, context: JobContext): void {
  contexts.set(call, context)
}

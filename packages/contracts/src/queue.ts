import { contract, type MessageOf, type ServiceOf } from './contract.ts'
import { health } from './health.ts'
import { jobOperations } from './queue-jobs.ts'
import { workOperations } from './queue-work.ts'

export const queue = contract(
  'queue',
  { summary: 'Work that may wait: jobs, delivered at least once and done once', version: '0.1.0' },
  { health, ...jobOperations, ...workOperations },
)

/** What a binder of queue sees. */
export type Queue = ServiceOf<typeof queue>

/** What queue's own queue accepts. */
export type QueueServiceMessage = MessageOf<typeof queue>

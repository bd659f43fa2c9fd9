import { auth } from './auth.ts'
import type { AnyOperation, Contract } from './contract.ts'
import { db } from './db.ts'
import { queue } from './queue.ts'
import { schedule } from './schedule.ts'

/** The services whose operations jobs run. */
const CONTRACTS: readonly Contract[] = [auth, db, queue, schedule]

/** Other names of jobs, which people know from elsewhere. */
export const JOB_ALIASES: Readonly<Record<string, string>> = {
  'send-email': 'email.send',
  'generate-embedding': 'db.embed',
  'batch-import': 'db.import',
  'webhook-delivery': 'webhooks.deliver',
  'crawl-website': 'queue.crawl',
  'generate-content': 'queue.generate',
}

/** What a job does. */
export interface JobTarget {
  /** `<service>.<operation>`. */
  type: string
  service: string
  name: string
  operation: AnyOperation
}

/** Every operation that some contract offers to the queue, by `<service>.<operation>`. */
export const JOB_TARGETS: ReadonlyMap<string, JobTarget> = new Map(
  CONTRACTS.flatMap(({ name: service, operations }) =>
    Object.entries(operations)
      .filter(([, operation]) => operation.queue)
      .map(([name, operation]) => [`${service}.${name}`, { type: `${service}.${name}`, service, name, operation }] as const),
  ),
)

/** What a job of this type, or other name of one, does; undefined where no contract offers it. */
export function jobTarget(type: string): JobTarget | undefined {
  return JOB_TARGETS.get(Object.hasOwn(JOB_ALIASES, type) ? (JOB_ALIASES[type] ?? '') : type)
}

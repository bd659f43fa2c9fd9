import { queue } from '@dot-do/worker-contracts/queue'
import { postgresLedger } from '@dot-do/worker-data/ledger'
import { trackCalls } from '@dot-do/worker-data/tracking'
import { implement } from '@dot-do/worker-kernel/implement'
import document from '../../docs/openapi/queue.json' with { type: 'json' }
import type { Env } from './env.ts'
import { crawl } from './operations/crawl.ts'
import { enqueue, enqueueBatch } from './operations/enqueue.ts'
import { cleanUpGenerations, generate, getGeneration, listGenerations } from './operations/generations.ts'
import { health } from './operations/health.ts'
import { getJob, listJobs } from './operations/jobs.ts'
import { cleanUpJobs } from './operations/cleanup-jobs.ts'
import { reportProgress } from './operations/progress.ts'
import { stats } from './operations/stats.ts'
import { listTypes, updateType } from './operations/types.ts'
import { cancelJob, redrive, retryJob } from './operations/retries.ts'
import { workflow } from './operations/workflow.ts'
import { SCHEMA } from './tables.ts'

/** What queue does, by contract. */
export const service = implement<typeof queue, Env>(
  queue,
  {
    health,
    enqueue,
    enqueueBatch,
    getJob,
    listJobs,
    cancelJob,
    retryJob,
    redrive,
    reportProgress,
    stats,
    listTypes,
    updateType,
    workflow,
    crawl,
    generate,
    getGeneration,
    listGenerations,
    cleanUpGenerations,
    cleanUpJobs,
  },
  { document, ledger: postgresLedger(SCHEMA), observed: trackCalls('queue') },
)

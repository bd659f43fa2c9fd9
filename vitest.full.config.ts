import { defineConfig } from 'vitest/config'
import { reporters } from './vitest.config.ts'

/** A crowded machine is several times slower than a quiet one; what hangs is still ended. */
const timeouts = { testTimeout: 300_000, hookTimeout: 180_000, expect: { poll: { timeout: 120_000 } } }

/** What looks at times, memory or rates, which another test beside it would change. */
const ALONE = [
  'tests/full/{change-feed,jobs-kill-nine,key-death,limits,passage,publishing-limits}.test.ts',
  'packages/local/tests/full/{analytics-process,database-process,published,recycling}.test.ts',
]

/** What needs more than npm packages: a stock PostgreSQL, processes that are killed, programs of others. */
export default defineConfig({
  test: {
    reporters,
    // Two at a time, each lot on platforms of its own; then, one by one, what wants the machine for itself.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'full',
          include: ['**/tests/full/**/*.test.ts'],
          exclude: ['**/node_modules/**', ...ALONE],
          ...timeouts,
        },
      },
      {
        test: { name: 'alone', include: ALONE, fileParallelism: false, sequence: { groupOrder: 1 }, ...timeouts },
      },
      {
        // The whole platform on a clock of its own: each file boots one.
        test: { name: 'clock', include: ['tests/clock/**/*.test.ts'], ...timeouts },
      },
      {
        test: {
          name: 'flows as deployed',
          include: ['tests/flows/**/*.test.ts'],
          // A copy of everything is made on the server below.
          exclude: ['tests/flows/backups.test.ts'],
          globalSetup: ['tests/full/minified-platform.ts'],
          isolate: false,
          ...timeouts,
        },
      },
      {
        // What the embedded PostgreSQL is shown to do in `pnpm test`, a server does too.
        test: {
          name: 'flows on stock PostgreSQL',
          include: [
            'tests/flows/{things,batch,selection,history,relationships,search,change-feed,transactions,analytics,isolation,keys,organisations,workloads,interfaces,bad-input,jobs,job-groups,dead-jobs,workflows,tasks,executions,backups}.test.ts',
          ],
          globalSetup: ['tests/full/stock-platform.ts'],
          isolate: false,
          ...timeouts,
        },
      },
    ],
  },
})

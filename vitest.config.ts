import { defineConfig, type ViteUserConfig } from 'vitest/config'

/** What needs more than npm packages; `pnpm test:full` runs it. */
const FULL = '**/tests/full/**'

/** People read the lines; `.ci/run` adds up the counts. */
export const reporters: NonNullable<NonNullable<ViteUserConfig['test']>['reporters']> = process.env['TEST_REPORT']
  ? ['default', ['json', { outputFile: process.env['TEST_REPORT'] }]]
  : ['default']

export default defineConfig({
  test: {
    reporters,
    // Two at a time: the suite is to be run on two cores, and every worker that needs a database holds one of its own.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'node',
          include: ['packages/*/tests/**/*.test.ts', '{gateway,db,auth,mcp,deploy,dispatcher,schedule}/tests/**/*.test.ts', 'scripts/tests/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/tests/workerd/**', FULL],
          // Files of one process share its modules, as requests share an isolate's; loading them for each file took half of the time.
          isolate: false,
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        // They set the date of the whole process, and the database in it goes by that: each file has a process of its own.
        test: {
          name: 'queue',
          include: ['queue/tests/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/tests/workerd/**', FULL],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      '{packages/*,auth,dispatcher,queue,schedule}/vitest.workerd.config.ts',
      {
        test: {
          name: 'flows',
          include: ['tests/flows/**/*.test.ts'],
          // They ask thousands of times, copy everything, or start programs: `pnpm test:full` has them among the flows.
          exclude: ['tests/flows/{canary-share,backups,import-export}.test.ts'],
          globalSetup: ['tests/flows/platform.ts'],
          isolate: false,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})

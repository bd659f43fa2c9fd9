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
          include: ['packages/*/tests/**/*.test.ts', '{gateway,db,auth,mcp,deploy,dispatcher,queue,schedule}/tests/**/*.test.ts', 'scripts/tests/**/*.test.ts'],
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
          // Asks thousands of times; `pnpm test:full` has it among the flows.
          exclude: ['tests/flows/canary-share.test.ts'],
          globalSetup: ['tests/flows/platform.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        // The whole platform on a clock of its own: each file boots one.
        test: { name: 'clock', include: ['tests/clock/**/*.test.ts'], testTimeout: 180_000, hookTimeout: 180_000 },
      },
    ],
  },
})

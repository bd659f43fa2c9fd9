import { defineConfig } from 'vitest/config'
import { reporters } from './vitest.config.ts'

const timeouts = { testTimeout: 180_000, hookTimeout: 120_000 }

/** What needs more than npm packages: a stock PostgreSQL, processes that are killed, programs of others. */
export default defineConfig({
  test: {
    reporters,
    fileParallelism: false,
    projects: [
      { test: { name: 'full', include: ['**/tests/full/**/*.test.ts'], exclude: ['**/node_modules/**'], ...timeouts } },
      {
        test: { name: 'flows as deployed', include: ['tests/flows/**/*.test.ts'], globalSetup: ['tests/full/minified-platform.ts'], ...timeouts },
      },
      {
        // What the embedded PostgreSQL is shown to do in `pnpm test`, a server does too.
        test: {
          name: 'flows on stock PostgreSQL',
          include: [
            'tests/flows/{things,batch,selection,history,relationships,search,change-feed,transactions,analytics,isolation,keys,interfaces,bad-input}.test.ts',
          ],
          globalSetup: ['tests/full/stock-platform.ts'],
          ...timeouts,
        },
      },
    ],
  },
})

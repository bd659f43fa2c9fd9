import { defineConfig } from 'vitest/config'
import { reporters } from './vitest.config.ts'

/** What needs more than npm packages: a stock PostgreSQL, processes that are killed, programs of others. */
export default defineConfig({
  test: {
    include: ['**/tests/full/**/*.test.ts'],
    exclude: ['**/node_modules/**'],
    reporters,
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
})

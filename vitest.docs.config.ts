import { defineConfig } from 'vitest/config'
import { reporters } from './vitest.config.ts'

/** Every command in the docs is run as it stands there; `pnpm test:docs` runs it. */
export default defineConfig({
  test: {
    include: ['tests/docs/**/*.test.ts'],
    reporters,
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})

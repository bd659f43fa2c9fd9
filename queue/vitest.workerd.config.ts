import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineProject } from 'vitest/config'

export default defineProject({
  plugins: [cloudflareTest({ miniflare: { compatibilityDate: '2026-11-01' } })],
  test: {
    name: 'queue on workerd',
    include: ['tests/workerd/**/*.test.ts'],
    testTimeout: 20_000,
  },
})

import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { rolldown } from 'rolldown'
import { defineProject } from 'vitest/config'

const compatibilityDate = '2026-11-01'
const fixture = fileURLToPath(new URL('tests/workerd/fixture/', import.meta.url))

/** Binds the notes' class as a Worker of the platform would, with the props that its configuration gives it. */
function bound(props?: Record<string, unknown>) {
  return { name: 'notes', entrypoint: 'NotesService', ...(props && { props }) }
}

/** The notes as one module, as the platform's own bundles are made. */
async function bundle(): Promise<string> {
  await using build = await rolldown({
    input: `${fixture}index.ts`,
    external: [/^cloudflare:/, /^node:/],
    resolve: { conditionNames: ['workerd', 'worker', 'browser'] },
  })
  const { output } = await build.generate({ format: 'esm', codeSplitting: false })
  return output[0].code
}

export default defineProject({
  plugins: [
    cloudflareTest(async () => ({
      miniflare: {
        compatibilityDate,
        serviceBindings: {
          STRANGER: bound(),
          READER: bound({ principal: { id: 'reader', permissions: ['notes:read'] } }),
          WRITER: bound({ principal: { id: 'writer', permissions: ['notes:*'] } }),
          DELEGATE: bound({ principal: { id: 'gateway', permissions: [] }, delegate: { permissions: ['notes:*'] } }),
          PLATFORM: 'notes',
          MORGUE: 'morgue',
        },
        queueProducers: { NOTES_QUEUE: 'notes' },
        workers: [
          {
            name: 'notes',
            modules: [{ type: 'ESModule', path: 'notes.js', contents: await bundle() }],
            compatibilityDate,
            bindings: { KEY_MODE: 'test' },
            queueConsumers: { notes: { maxBatchSize: 10, maxBatchTimeout: 0, maxRetries: 2, deadLetterQueue: 'notes-dlq' } },
          },
          {
            name: 'morgue',
            modules: [{ type: 'ESModule', path: `${fixture}morgue.js` }],
            compatibilityDate,
            queueConsumers: { 'notes-dlq': { maxBatchSize: 1, maxBatchTimeout: 0 } },
          },
        ],
      },
    })),
  ],
  test: {
    name: 'kernel on workerd',
    include: ['tests/workerd/**/*.test.ts'],
    testTimeout: 20_000,
  },
})

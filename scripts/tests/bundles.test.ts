import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { bundles, CEILINGS_GZ_BYTES } from '../checks/bundles.ts'
import { tree } from './tree.ts'

const config = (name: string) => JSON.stringify({ name, main: 'src/index.ts', compatibility_date: '2026-11-01' })

/** A Worker that no compression makes smaller than a number of bytes. */
const worker = (bytes: number) => `export default { text: '${randomBytes(bytes).toString('base64')}' }\n`

it('passes Workers under their ceilings', async () => {
  const root = await tree({ 'auth/wrangler.jsonc': config('auth'), 'auth/src/index.ts': worker(1_000) })

  const problems = await bundles(root)

  expect(problems).toEqual([])
})

it('finds a Worker over its ceiling', async () => {
  const ceiling = CEILINGS_GZ_BYTES['auth'] ?? 0
  const root = await tree({ 'auth/wrangler.jsonc': config('auth'), 'auth/src/index.ts': worker(ceiling + 1_000) })

  const problems = await bundles(root)

  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatchObject({ file: 'auth/src/index.ts', message: expect.stringMatching(/^bundles to 1\d\d\.\d KB gz; its ceiling is 140\.0 KB$/) })
})

it('finds a Worker without a ceiling', async () => {
  const root = await tree({ 'notes/wrangler.jsonc': config('notes'), 'notes/src/index.ts': worker(10) })

  const problems = await bundles(root)

  expect(problems).toEqual([{ file: 'notes/src/index.ts', message: 'notes has no ceiling: give it one in scripts/checks/bundles.ts' }])
})

import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { expect, it } from 'vitest'
import { withoutUnusedParts } from '../../src/host/unused-parts.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/unused-parts/', import.meta.url))

type Call = (...input: unknown[]) => unknown

interface Fixture {
  used: Record<string, Call>
  unused: Record<string, Call>
}

/** A fixture as it runs in a Worker: bundled, with or without what Workers do not reach. */
async function bundled(name: string, plugins: (typeof withoutUnusedParts)[] = [withoutUnusedParts]): Promise<{ code: string; fixture: Fixture }> {
  await using build = await rolldown({ input: `${FIXTURES}${name}.ts`, plugins, logLevel: 'silent', treeshake: { propertyReadSideEffects: false } })
  const { code } = (await build.generate({ format: 'esm', minify: true })).output[0]
  const fixture: Fixture = await import(/* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`)
  return { code, fixture }
}

it('parses as zod does', async () => {
  const { used } = (await bundled('schemas')).fixture

  expect(used['parse']?.({ id: 'note_1', at: '2026-11-01T00:00:00Z' })).toMatchObject({ success: true, data: { id: 'note_1', tags: [] } })
  expect(used['parse']?.({ id: 'memo_1', more: 1 })).toMatchObject({ error: { issues: [{ code: 'invalid_format' }, { code: 'unrecognized_keys' }] } })
  expect(used['standard']?.({ id: 'note_1' })).toMatchObject({ value: { id: 'note_1' } })
})

it('builds SQL as Drizzle does', async () => {
  const lean = (await bundled('queries')).fixture
  const plain = (await bundled('queries', [])).fixture

  expect(Object.keys(plain.used).length).toBeGreaterThan(0)
  for (const [name, query] of Object.entries(plain.used)) expect(lean.used[name]?.()).toEqual(query())
})

it.each([
  ['schemas', 'This Worker is bundled without JSON Schemas'],
  ['queries', 'This Worker is bundled without'],
])('says what is missing and what to do, however one asks (%s)', async (name, refusal) => {
  const { unused } = (await bundled(name)).fixture
  const plain = (await bundled(name, [])).fixture

  expect(Object.keys(unused).length).toBeGreaterThan(0)
  for (const ask of Object.values(unused)) expect(ask).toThrow(refusal)
  for (const ask of Object.values(plain.unused)) expect(ask).not.toThrow()
})

it.each([
  ['schemas', 10_000],
  ['queries', 15_000],
])('leaves the parts out of the bundle (%s)', async (name, savedBytes) => {
  const [plain, lean] = [await bundled(name, []), await bundled(name)]

  expect(lean.code.length).toBeLessThan(plain.code.length - savedBytes)
})

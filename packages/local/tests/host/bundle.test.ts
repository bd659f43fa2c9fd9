import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { SourceMap } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { bundle } from '../../src/host/bundle.ts'
import type { WorkspaceService } from '../../src/host/workspace.ts'

async function notes(files: Record<string, string>): Promise<WorkspaceService> {
  const root = await mkdtemp(join(tmpdir(), 'bundle-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const folder = join(root, 'notes')
  await mkdir(folder)
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  const config = { name: 'notes', main: 'index.ts', compatibility_date: '2026-11-01' }
  return { name: 'notes', folder, main: join(folder, 'index.ts'), configFile: join(folder, 'wrangler.jsonc'), config }
}

it.each([
  ['what does not parse', 'export const a = 1\nexport broken', 'notes/index.ts:2:8'],
  ['an import of a file that is not there', "import a from './none.ts'\nexport default a", 'notes/index.ts:1:15'],
  ['an import of a package that is not there', "import a from 'no-such-package'\nexport default a", 'notes/index.ts:1:15'],
  ['a module of Node without its prefix', "import { readFile } from 'fs'\nexport default readFile", 'notes/index.ts:1:26'],
  ['a name that a module does not export', "import { none } from './other.ts'\nexport default none", 'notes/index.ts:1:10'],
])('refuses %s, and shows where', async (_, source, position) => {
  const service = await notes({ 'index.ts': source, 'other.ts': 'export const other = 1' })

  const refusal: unknown = await bundle(service, { minify: false }).catch((error: unknown) => error)

  expect(String(refusal)).toContain(position)
  expect(String(refusal)).not.toContain('\u001b')
})

it('names every file it read, and maps positions to them', async () => {
  const service = await notes({
    'index.ts': "import { fail } from './other.ts'\nexport default { fetch: () => fail() }",
    'other.ts': "\n\nexport function fail(): never { throw new Error('here') }",
  })

  const { code, sourceMap, inputs } = await bundle(service, { minify: false })
  const lines = code.split('\n')
  const line = lines.findIndex((text) => text.includes('new Error("here")'))

  expect(inputs.toSorted()).toEqual([join(service.folder, 'index.ts'), join(service.folder, 'other.ts')])
  expect(new SourceMap(JSON.parse(sourceMap)).findEntry(line, lines[line]?.indexOf('new Error') ?? -1)).toMatchObject({
    originalSource: 'notes/other.ts',
    originalLine: 2,
  })
})

it('keeps names for development and no white space for deployment', async () => {
  const service = await notes({ 'index.ts': 'export default {\n  fetch: function answer() {\n    return answer.name\n  },\n}' })

  const plain = await bundle(service, { minify: false })
  const minified = await bundle(service, { minify: true })

  expect(plain.code).toContain('answer')
  expect(minified.code.trim().split('\n')).toHaveLength(1)
})

it('makes one module also of what is imported when needed', async () => {
  const service = await notes({
    'index.ts': "export default { fetch: async () => (await import('./other.ts')).other }",
    'other.ts': "export const other = 'elsewhere'",
  })

  const { code } = await bundle(service, { minify: true })

  expect(code).toContain('elsewhere')
})

import { expect, it } from 'vitest'
import { dependencies } from '../checks/dependencies.ts'
import { tree, type Files } from './tree.ts'

const manifest = (name: string, ...declared: string[]) =>
  JSON.stringify({ name, dependencies: Object.fromEntries(declared.map((dependency) => [dependency, '1'])) }, null, 2)

const WORKSPACE: Files = {
  'package.json': manifest('root', 'vitest'),
  'packages/utils/package.json': manifest('@dot-do/worker-utils', '@dot-do/worker-types', 'hono', '@types/hono'),
  'packages/utils/src/id.ts': "import type { A } from '@dot-do/worker-types'\nimport 'hono/tiny'\nimport 'node:fs'\nexport type B = A\n",
  'packages/utils/tests/id.test.ts': "import { it } from 'vitest'\nimport '@dot-do/worker-utils/id'\nit('x', () => {})\n",
  'scripts/package.json': manifest('scripts', 'prettier'),
  'scripts/format.ts': "export const tool = 'prettier/bin/prettier.cjs'\n",
}

it('passes packages that declare what they use and use what they declare', async () => {
  const root = await tree(WORKSPACE)

  const problems = await dependencies(root)

  expect(problems).toEqual([])
})

it('finds an import that the package does not declare', async () => {
  const root = await tree({ ...WORKSPACE, 'scripts/other.ts': "\nexport * from '@dot-do/worker-utils/id'\n" })

  const problems = await dependencies(root)

  expect(problems).toEqual([{ file: 'scripts/other.ts', line: 2, message: 'imports @dot-do/worker-utils, which scripts/package.json does not declare' }])
})

it('lets tests, but not deployed code, rest on what the root declares', async () => {
  const root = await tree({ ...WORKSPACE, 'packages/utils/src/broken.ts': "import 'vitest'\n" })

  const problems = await dependencies(root)

  expect(problems).toEqual([{ file: 'packages/utils/src/broken.ts', line: 1, message: 'imports vitest, which packages/utils/package.json does not declare' }])
})

it('finds a dependency that nothing uses', async () => {
  const root = await tree({ ...WORKSPACE, 'scripts/package.json': manifest('scripts', 'prettier', 'undici') })

  const problems = await dependencies(root)

  expect(problems).toEqual([{ file: 'scripts/package.json', line: 5, message: 'declares undici, which nothing here uses' }])
})

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { format } from '../checks/format.ts'
import { idioms } from '../checks/idioms.ts'
import { lint } from '../checks/lint.ts'
import { types } from '../checks/types.ts'
import { ROOT } from '../root.ts'
import { tree, type Files } from './tree.ts'

describe('format', () => {
  const CONFIG = { '.prettierrc': '{ "semi": false, "singleQuote": true }\n' }

  it('passes files as prettier writes them', async () => {
    const root = await tree({ ...CONFIG, 'a.ts': "export const a = 'x'\n", 'b.md': '# B\n' })

    const problems = await format(root)

    expect(problems).toEqual([])
  })

  it('finds a file that is written otherwise', async () => {
    const root = await tree({ ...CONFIG, 'a.ts': 'export const a = "x";\n' })

    const problems = await format(root)

    expect(problems).toEqual([{ file: 'a.ts', message: 'is not formatted: run `pnpm format`' }])
  })

  it('finds a file that cannot be read as what it is', async () => {
    const root = await tree({ ...CONFIG, 'a.ts': 'export const = \n' })

    const problems = await format(root)

    expect(problems[0]?.message).toContain('a.ts')
  })
})

describe('lint', () => {
  async function project(files: Files): Promise<string> {
    const tsconfig = JSON.stringify({
      compilerOptions: { target: 'ES2024', lib: ['ES2024'], module: 'ESNext', strict: true, noEmit: true, types: [] },
      include: ['.'],
    })
    return tree({ '.oxlintrc.json': await readFile(join(ROOT, '.oxlintrc.json'), 'utf8'), 'tsconfig.json': tsconfig, ...files })
  }

  it('passes code that keeps the rules', async () => {
    const root = await project({ 'packages/utils/src/a.ts': 'export const a: number = 1\n', 'scripts/b.ts': "console.log('from a script')\nexport {}\n" })

    const problems = await lint(root)

    expect(problems).toEqual([])
  })

  const BROKEN: [rule: string, text: string][] = [
    ['no-explicit-any', 'export const a: any = 1'],
    ['no-non-null-assertion', 'export const a = (b?: string) => b!.length'],
    ['ban-ts-comment', '// @ts-ignore\nexport const a = 1'],
    ['ban-ts-comment', '// @ts-expect-error\nexport const a: string = 1'],
    ['no-floating-promises', 'export function a(b: () => Promise<void>): void {\n  b()\n}'],
    ['no-console', "console.log('a')\nexport {}"],
    ['no-unused-vars', 'const a = 1\nexport {}'],
    ['no-default-export', 'export default 1'],
    ['no-warning-comments', '// TODO: later\nexport const a = 1'],
    ['max-params', 'export const a = (b: number, c: number, d: number, e: number) => b + c + d + e'],
  ]

  it.each(BROKEN)('finds what breaks %s: %s', async (rule, text) => {
    const root = await project({ 'packages/utils/src/a.ts': `${text}\n` })

    const problems = await lint(root)

    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({ file: 'packages/utils/src/a.ts', line: expect.any(Number), message: expect.stringContaining(`(${rule})]`) })
  })

  it('lets a type test expect an error, if it says which', async () => {
    const root = await project({
      'a.test-d.ts': '// @ts-expect-error a number is no string\nexport const a: string = 1\n',
      'b.test-d.ts': '// @ts-expect-error\nexport const b: string = 1\n',
    })

    const problems = await lint(root)

    expect(problems.map(({ file }) => file)).toEqual(['b.test-d.ts'])
  })
})

describe('idioms', () => {
  it('passes code that keeps the habits', async () => {
    const root = await tree({
      'a.ts': "import * as z from 'zod'\nimport type * as y from './b.ts'\nexport class A {\n  #a = z\n}\nexport type B = typeof y\n",
      'b.ts': 'export {}\n',
    })

    const problems = await idioms(root)

    expect(problems).toEqual([])
  })

  const BROKEN: [what: string, text: string, message: string][] = [
    ['zod imported by name', "import { z } from 'zod'", "import zod as `import * as z from 'zod'`: any other form bundles all of it"],
    ['a neighbour without extension', "import { b } from './b'", 'relative import "./b" needs its extension (.ts)'],
    ['an enum', 'enum A { B }', 'an enum does not erase: write a union of literals'],
    ['a private member that RPC can reach', 'class A { private b = 1 }', 'RPC can reach what TypeScript calls private: write `#name`'],
    ['a test that runs alone', "it.only('a', () => {})", '`.only`: a test runs always, or it is not there'],
    ['a suite that is skipped', "describe.skip('a', () => {})", '`.skip`: a test runs always, or it is not there'],
    ['a test that runs on some machines', "it.skipIf(true)('a', () => {})", '`.skipIf`: a test runs always, or it is not there'],
    ['a table of tests that is skipped', "it.skip.each([1])('a', () => {})", '`.skip`: a test runs always, or it is not there'],
  ]

  it.each(BROKEN)('finds %s', async (_what, text, message) => {
    const root = await tree({ 'a.ts': `\n${text}\n` })

    const problems = await idioms(root)

    expect(problems).toEqual([{ file: 'a.ts', line: 2, message }])
  })
})

describe('types', () => {
  const CONFIG = JSON.stringify({ compilerOptions: { strict: true, noEmit: true, types: [] }, include: ['.'] })

  it('passes projects that compile', async () => {
    const root = await tree({ 'a/tsconfig.json': CONFIG, 'a/a.ts': 'export const a: string = "x"\n', 'b/tsconfig.json': CONFIG, 'b/b.ts': 'export {}\n' })

    const problems = await types(root)

    expect(problems).toEqual([])
  })

  it('finds an error in any project', async () => {
    const root = await tree({ 'a/tsconfig.json': CONFIG, 'a/a.ts': 'export {}\n', 'b/tsconfig.json': CONFIG, 'b/b.ts': '\nexport const b: string = 1\n' })

    const problems = await types(root)

    expect(problems).toEqual([{ file: 'b/b.ts', line: 2, message: "TS2322: Type 'number' is not assignable to type 'string'." }])
  })

  it('finds a file that no project includes', async () => {
    const root = await tree({
      'a/tsconfig.json': CONFIG.replace('"."', '"src"'),
      'a/src/a.ts': 'export {}\n',
      'a/tests/a.test.ts': 'export const a: string = 1\n',
    })

    const problems = await types(root)

    expect(problems).toEqual([{ file: 'a/tests/a.test.ts', message: 'no tsconfig.json includes this file, so nothing checks its types' }])
  })

  it('finds a configuration that cannot be read', async () => {
    const root = await tree({ 'a/tsconfig.json': '{ "extends": "./none.json" }', 'a/a.ts': 'export {}\n' })

    const problems = await types(root)

    expect(problems.map(({ file }) => file)).toContain('a/tsconfig.json')
  })
})

import { expect, it } from 'vitest'
import { sizes } from '../checks/sizes.ts'
import { tree } from './tree.ts'

const lines = (count: number) => 'work()\n'.repeat(count)
const longFunction = (count: number) => `export function long(): void {\n${lines(count - 2)}}\n`

it('passes files and functions that just fit', async () => {
  const root = await tree({
    'a.ts': lines(250),
    'b.ts': longFunction(40),
    'packages/kernel/src/a.ts': lines(250),
    'packages/kernel/src/b.ts': lines(250),
    'packages/kernel/src/c.ts': lines(250),
  })

  const problems = await sizes(root)

  expect(problems).toEqual([])
})

it('finds a file of one line too many', async () => {
  const root = await tree({ 'a.ts': lines(251) })

  const problems = await sizes(root)

  expect(problems).toEqual([{ file: 'a.ts', message: 'has 251 lines; a file has at most 250, or says why: // long: <reason>' }])
})

it('finds a function of one line too many', async () => {
  const root = await tree({ 'a.ts': `\n${longFunction(41)}` })

  const problems = await sizes(root)

  expect(problems).toEqual([{ file: 'a.ts', line: 2, message: 'a function of 41 lines; at most 40, or it says why: // long: <reason>' }])
})

it('accepts a reason next to what is long, and no empty one', async () => {
  const root = await tree({
    'file.ts': `// long: one table, by name\n${lines(260)}`,
    'function.ts': `// long: one table, by name\n${longFunction(60)}`,
    'empty.ts': `// long:\n${longFunction(60)}`,
  })

  const problems = await sizes(root)

  expect(problems.map(({ file }) => file)).toEqual(['empty.ts'])
})

it('lets suites be as long as their cases, but not the functions in them', async () => {
  const body = `function given(): void {\n${lines(41)}}\n`
  const root = await tree({ 'a.test.ts': `describe('x', () => {\n${lines(60)}${body}})\nit.each([1])('y', () => {\n${lines(60)}})\n` })

  const problems = await sizes(root)

  expect(problems.map(({ line }) => line)).toEqual([62])
})

it('finds a kernel that has outgrown one sitting', async () => {
  const files = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [`packages/kernel/src/${name}.ts`, lines(200)]))
  const root = await tree(files)

  const problems = await sizes(root)

  expect(problems).toEqual([{ file: 'packages/kernel/src', message: 'has 800 lines of code in total; the kernel stays under 800' }])
})

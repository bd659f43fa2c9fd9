import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

/** Runs in a process of its own, whose `Date` it may replace. */
async function inStanding(expressions: string[]): Promise<unknown> {
  const module = JSON.stringify(new URL('../../src/clock/standing-date.ts', import.meta.url).href)
  const program = `const before = new Date(7); const { installStandingDate } = await import(${module}); const set = installStandingDate(1000); console.log(JSON.stringify([${expressions.join(', ')}]))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  return JSON.parse(stdout)
}

it('tells the time it was set to, however it is asked', async () => {
  expect(
    await inStanding(['Date.now()', 'new Date().getTime()', 'Date() === new Date(1000).toString()', '(set(2000), Date.now())', 'new Date().getTime()']),
  ).toEqual([1000, 1000, true, 2000, 2000])
})

it('is a Date in every other way', async () => {
  const expressions = [
    'new Date(5).getTime()',
    'new Date(2027, 0).getFullYear()',
    'Date.UTC(1970, 0, 2)',
    'Date.parse("1970-01-01T00:00:01Z")',
    'new Date() instanceof Date',
    'before instanceof Date',
    'new Date().constructor === Date',
    'new (class Later extends Date {})().getTime()',
    'structuredClone(new Date()).getTime()',
  ]

  expect(await inStanding(expressions)).toEqual([5, 2027, 86_400_000, 1000, true, true, true, 1000, 1000])
})

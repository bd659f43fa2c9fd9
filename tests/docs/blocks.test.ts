import { describe, expect, it } from 'vitest'
import { changed, changesOf, commandsOf, filesOf } from './blocks.ts'
import { isPrinted } from './pages.ts'

const fenced = (info: string, text: string): string => `\`\`\`${info}\n${text}\n\`\`\`\n`

describe('the commands of a page', () => {
  it('are the lines after "$ " of a console block, each with what it prints', () => {
    const page = `Text\n\n${fenced('console', '$ a 1\nout\n\nmore\n$ b \\\n  c')}`

    expect(commandsOf(page)).toEqual([
      { command: 'a 1', expected: 'out\n\nmore\n', line: 4 },
      { command: 'b \\\n  c', expected: '', line: 8 },
    ])
  })

  it('are all lines of a shell block but comments', () => {
    expect(commandsOf(fenced('sh', '# why\na\n\nb')).map(({ command, expected }) => [command, expected])).toEqual([
      ['a', undefined],
      ['b', undefined],
    ])
  })

  it.each([fenced('sh no-run', 'a'), fenced('ts', 'a'), fenced('', 'a'), 'a'])('are not in %j', (page) => {
    expect(commandsOf(page)).toEqual([])
  })

  it('do not begin with output', () => {
    expect(() => commandsOf(fenced('console', 'out'))).toThrow('begins with a command')
  })
})

describe('the files of a page', () => {
  it('are the blocks that a path names, and changes those that are a diff', () => {
    const page = fenced('ts notes/a.ts', 'one\ntwo') + fenced('diff notes/b.ts', ' a\n+b') + fenced('ts', 'no file')

    expect(filesOf(page)).toEqual([{ path: 'notes/a.ts', text: 'one\ntwo\n' }])
    expect(changesOf(page)).toEqual([{ path: 'notes/b.ts', text: ' a\n+b' }])
  })
})

describe('a change shown in a page', () => {
  it('replaces the lines it names, wherever they are', () => {
    expect(changed('a\nb\nc\nd\n', ' a\n-b\n+B\n…\n d\n+e')).toBe('a\nB\nc\nd\ne\n')
  })

  it.each(['-x\n+y', ' a\n+b'])('is refused when its lines are not there, or more than once: %j', (change) => {
    expect(() => changed('a\nc\na\n', change)).toThrow('not in the file once')
  })
})

describe('an output', () => {
  it.each([
    ['{"id":"key_1","a":[2]}', '{"id":"key_…","a":[2]}'],
    ['one\ntwo\nthree', 'one\n…\nthree\n'],
    ['', ''],
  ])('%j is what %j says', (output, expected) => {
    expect(isPrinted(output, expected)).toBe(true)
  })

  it.each([
    ['{"id":"key_1","b":1}', '{"id":"key_…"}'],
    ['axb', 'a.b'],
    ['more', ''],
  ])('%j is not what %j says', (output, expected) => {
    expect(isPrinted(output, expected)).toBe(false)
  })
})

import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exportToFile, exportToTree } from '../db/exporting.ts'
import { checkSource } from '../db/importing.ts'
import { Places, sourceOf } from '../db/tree.ts'
import { tree } from './tree.ts'

let folder: string
let count = 0
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdx-tree-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const fresh = (): string => join(folder, String(count++))
const quiet = { signal: new AbortController().signal, onProgress: () => undefined }
const ignored = (): undefined => undefined

const thing = ($id: string) => ({ $id, $type: 'Note', content: `of ${$id}`, data: { n: 1 }, visibility: 'private' })

/** An export as the platform sends it, in chunks that end where they like. */
async function* sent(lines: object[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  for (let at = 0; at < bytes.length; at += 7) yield bytes.slice(at, at + 7)
}

async function linesIn(path: string): Promise<unknown[]> {
  const lines: unknown[] = []
  for await (const { line } of (await sourceOf(path)).read()) lines.push(line)
  return lines
}

const byId = (one: unknown, other: unknown): number => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)

const header = { $export: { ns: 'default' } }

/** Ids that some disk would not keep apart, or not have at all. */
const AWKWARD = [
  'a',
  'A',
  'a/b',
  'A/b',
  'a/B',
  'a.mdx',
  'a.mdx/b',
  'a.mdx.mdx',
  'relationships.ndjson',
  'relationships.ndjson/x',
  '_',
  '_/x',
  '~',
  '-rf',
  'con',
  'x/NUL.txt/y',
  'lpt1',
  '.git/config',
  '.hidden',
  'a/.b',
  'dot.',
  'dot./x',
  '...',
  '.../x',
  'x'.repeat(512),
  `${'y'.repeat(255)}/z`,
  Array(256).fill('s').join('/'),
]

describe('a tree of MDX', () => {
  it('has every thing whatever its id, and gives all of them back', async () => {
    const things = AWKWARD.map(thing)
    const link = { from: 'a', predicate: 'is', to: 'A', data: { n: [1] } }
    const into = fresh()

    const counts = await exportToTree(sent([header, ...things, link, { $end: { things: things.length, relationships: 1 } }]), into, ignored)

    expect(counts).toEqual({ things: things.length, relationships: 1 })
    expect((await linesIn(into)).sort(byId)).toEqual([...things, link].sort(byId))
    expect((await readdir(into)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('gives no two things one place, nor a place that is another’s folder, on a disk that ignores case', () => {
    const places = new Places()

    const paths = [...AWKWARD, ...AWKWARD.map((id) => id.toUpperCase())].map((id) => `${places.placeOf(id)}.mdx`.toLowerCase())

    expect(new Set(paths).size).toBe(paths.length)
    expect(paths.filter((path) => paths.some((other) => other.startsWith(`${path}/`)))).toEqual([])
    expect(paths.filter((path) => path.split('/').some((segment) => segment.length > 255))).toEqual([])
  })

  it('is read by the names of its files; a file may tell another id, and what is hidden or no MDX is nobody’s thing', async () => {
    const root = await tree({
      'note/a.mdx': '---\n$type: Note\nvisibility: public\ntags: [x]\n---\n\nHello\n',
      'b.mdx': '---\n$type: Page\n$id: else/where\n---\nText',
      'README.md': 'no thing',
      '.git/c.mdx': 'hidden',
      'relationships.ndjson': '{"from":"note/a","predicate":"in","to":"else/where"}\n',
    })

    expect(await linesIn(root)).toEqual([
      { $id: 'else/where', $type: 'Page', content: 'Text', data: {}, visibility: 'private' },
      { $id: 'note/a', $type: 'Note', content: 'Hello\n', data: { tags: ['x'] }, visibility: 'public' },
      { from: 'note/a', predicate: 'in', to: 'else/where', data: {} },
    ])
  })

  it.each([
    ['an id that leads out of it', { 'a.mdx': '---\n$type: Note\n$id: ../a\n---\n' }, /a\.mdx: \$id: Must be segments/],
    ['a name that is no id', { 'my note.mdx': '---\n$type: Note\n---\n' }, /my note\.mdx: \$id: Must be segments/],
    ['a thing without a type', { 'note/a.mdx': '# Hello\n' }, /note\/a\.mdx: \$type is missing/],
    ['frontmatter that is no YAML', { 'a.mdx': '---\n$type: [\n---\n' }, /a\.mdx: Line \d: /],
    ['data with NUL', { 'a.mdx': '---\n$type: Note\nx: "\\0"\n---\n' }, /a\.mdx: data: Must be a JSON object/],
    [
      'relationships that are cut off',
      { 'relationships.ndjson': '{"$export":{}}\n{"from":"a","predicate":"p","to":"b"}\n' },
      /relationships\.ndjson: Line 3 .*cut off/,
    ],
    [
      'a thing among the relationships',
      { 'relationships.ndjson': `${JSON.stringify(thing('a'))}\n` },
      /relationships\.ndjson:1: a thing of a tree is a file of its own, a\.mdx/,
    ],
  ])('is refused with %s', async (_what, files, message) => {
    await expect(linesIn(await tree(files))).rejects.toThrow(message)
  })

  it('is refused with links, to files and to folders, in it or out of it', async () => {
    for (const target of ['a.mdx', '..', '/etc/passwd']) {
      const root = await tree({ 'a.mdx': '---\n$type: Note\n---\n' })
      await symlink(target, join(root, 'link.mdx'))
      await expect(linesIn(root)).rejects.toThrow(/link\.mdx is a symbolic link/)
    }
  })

  it('is refused with bytes that are no text', async () => {
    const root = await tree({ 'a.mdx': '' })
    await writeFile(join(root, 'a.mdx'), new Uint8Array([0x2d, 0x2d, 0x2d, 0x0a, 0xff]))

    await expect(linesIn(root)).rejects.toThrow(/a\.mdx: is not UTF-8/)
  })

  it('is refused when two files are one thing, and both are named', async () => {
    const root = await tree({ 'a.mdx': '---\n$type: Note\n---\n', 'b/c.mdx': '---\n$type: Note\n$id: a\n---\n' })

    await expect(checkSource(await sourceOf(root), quiet)).rejects.toThrow(/b\/c\.mdx: a is there twice, before in .*a\.mdx$/)
  })
})

describe('an export on the disk', () => {
  const whole = [header, thing('a'), { $end: { things: 1, relationships: 0 } }]

  it.each([
    ['a file', exportToFile, '.ndjson'],
    ['a tree', exportToTree, ''],
  ])('is %s once it is whole, and nothing before', async (_what, write, ending) => {
    const [path, broken, none] = [fresh() + ending, fresh() + ending, fresh() + ending]

    await write(sent(whole), path, ignored)

    await expect(write(sent(whole.slice(0, 2)), broken, ignored)).rejects.toThrow('cut off')
    await expect(write(sent([]), none, ignored)).rejects.toThrow('answered with no export')
    await expect(write(sent(whole), path, ignored)).rejects.toThrow('is there already')
    const left = (await readdir(folder)).filter((name) => [path, broken, none].some((one) => join(folder, name).startsWith(one)))
    expect(left).toEqual([path.slice(folder.length + 1)])
    expect(await linesIn(path)).toEqual([thing('a')])
  })

  it('may be a tree in a folder that is empty', async () => {
    const path = fresh()
    await mkdir(path)

    await exportToTree(sent(whole), `${path}/`, ignored)

    expect(await linesIn(path)).toEqual([thing('a')])
  })
})

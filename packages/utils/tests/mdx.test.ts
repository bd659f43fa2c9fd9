import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../src/canonical-json.ts'
import { parseMdx, printMdx } from '../src/mdx.ts'
import { parseThing, printThing } from '../src/thing-mdx.ts'

/** Texts that YAML has other ideas about. */
const ODD = [
  'yes',
  'No',
  'ON',
  'null',
  '~',
  'true',
  '',
  ' ',
  '2026-11-21',
  '2026-11-21T10:00:00Z',
  '12:30:45',
  '1e21',
  '0x1F',
  '0o17',
  '017',
  '1_000',
  '.inf',
  '-.INF',
  '.NaN',
  '<<',
  '=',

  '---',
  '...',
  '--- a',
  '# x',
  'a # b',
  'a: b',
  '- a',
  '? a',
  '&a',
  '*a',
  '!a',
  '%TAG',
  '@a',
  '`a`',
  '{a}',
  '[a]',
  '"a"',
  "'a'",
  '|',
  '>',
  ',',
  'a\n',
  '\na',
  'a\n---\nb',
  '---\n',

  '\r',
  'a\r\nb',
  'a\rb\n',
  '\t',
  ' a',
  'a ',
  'a\n b\n\n',
  '\u0085',
  '\u2028',
  '\uFEFF',
  '\u007f',
  '\u0001',
  '\\',
  '\u{1F642}',
  'constructor',
  'x'.repeat(1100),
]

// What a database keeps: no U+0000, no half of a surrogate pair, no -0, no __proto__.
const text = fc.oneof(
  fc.constantFrom(...ODD),
  fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\u0000', '')),
  fc.string({ unit: fc.constantFrom('\n', '\r', ' ', '-', '#', ':', 'a', '"', "'", '\t', '|', '…') }),
)
const key = text.filter((value) => value !== '__proto__')
const number = fc
  .oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constantFrom(1e21, 1e-7, 5e-324, 2 ** 53, 1.7976931348623157e308))
  .map((value) => value + 0)
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))
const fields = fc.dictionary(key, value, { maxKeys: 6, noNullPrototype: true })

describe('a printed text', () => {
  it('is parsed to the fields and the content it was made of, whatever they are', () => {
    fc.assert(
      fc.property(fields, text, (frontmatter, content) => {
        expect(parseMdx(printMdx({ frontmatter, content }))).toEqual({ frontmatter, content })
      }),
      { numRuns: 1_500 },
    )
  })

  it.each(ODD)('keeps %j as a name, a value, in a list and as content', (odd) => {
    const mdx = { frontmatter: { [odd]: odd, list: [odd, { [odd]: [[odd]] }] }, content: odd }

    expect(parseMdx(printMdx(mdx))).toEqual(mdx)
  })

  it.each([
    ['lists', (inner: JsonValue) => [inner]],
    ['fields', (inner: JsonValue) => ({ a: inner })],
    ['both', (inner: JsonValue) => ({ a: [inner] })],
  ])('keeps %s within each other as deep as a database does', (_what, around) => {
    let frontmatter: JsonValue = 'x'
    for (let level = 0; level < 63; level++) frontmatter = around(frontmatter)

    expect(parseMdx(printMdx({ frontmatter: { deep: frontmatter }, content: '' })).frontmatter).toEqual({ deep: frontmatter })
  })

  it('looks like what people write', () => {
    const printed = printMdx({
      frontmatter: { $type: 'Post', title: 'Hello', tags: ['a', 'b'], on: '2026-11-21', answer: 'yes', size: 1.5, none: null },
      content: '# Hello\n\nText.\n',
    })

    expect(printed).toBe(`---
$type: Post
title: Hello
tags:
  - a
  - b
"on": "2026-11-21"
answer: "yes"
size: 1.5
none: null
---

# Hello

Text.
`)
  })
})

describe('a text that a person wrote', () => {
  it.each([
    ['no fields', '# Title\n', {}, '# Title\n'],
    ['no content', '---\na: 1\n---', { a: 1 }, ''],
    ['no empty line', '---\na: 1\n---\ntext', { a: 1 }, 'text'],
    ['ends of lines as Windows has them', '---\r\na: 1\r\nb: x\r\n---\r\n\r\nline\r\nline\r\n', { a: 1, b: 'x' }, 'line\r\nline\r\n'],
    ['nothing between its lines', '---\n---\ntext', {}, 'text'],
    ['a comment only', '---\n# none yet\n---\ntext', {}, 'text'],
    ['a byte order mark', '\uFEFF---\na: 1\n---\n', { a: 1 }, ''],
    ['a day', '---\nday: 2026-11-21\n---\n', { day: '2026-11-21' }, ''],
    ['a second line of dashes in its content', '---\na: 1\n---\n\none\n---\ntwo', { a: 1 }, 'one\n---\ntwo'],
  ])('may have %s', (_what, written, frontmatter, content) => {
    expect(parseMdx(written)).toEqual({ frontmatter, content })
  })

  it.each([
    ['is not closed', '---\na: 1\n', /not closed/],
    ['is a list', '---\n- a\n---\n', /must be fields/],
    ['is a word', '---\nhello\n---\n', /must be fields/],
    ['is no YAML', '---\na: 1\nb: [\n---\n', /^Line \d+: /],
    ['names a field twice', '---\na: 1\na: 2\n---\n', /^Line 3: a is there twice/],
    ['names a field __proto__', '---\na:\n  __proto__: 1\n---\n', /__proto__/],
    ['has a tag', '---\na: !!js/function x\n---\n', /no tag/],
    ['is of two documents', '---\na: 1\n--- b\n---\n', /^Line \d+: /],
    ['has an infinite number', '---\na: .inf\n---\n', /^Line 2: .* is nothing that JSON can say/],
    ['has no number', '---\na: .nan\n---\n', /^Line 2: .* is nothing that JSON can say/],
    ['has a list for a name', '---\n? [a]\n: 1\n---\n', /no text/],
    ['refers to itself', '---\na: &a [*a]\n---\n', /may not refer to each other/],
    [
      'would grow for ever',
      `---\na: &a [x, x]\n${[...'bcdefgh'].map((name, index) => `${name}: &${name} [${`*${'abcdefgh'[index]},`.repeat(9)}]`).join('\n')}\n---\n`,
      /may not refer to each other/,
    ],
    ['is nested a hundred thousand levels deep', `---\na: ${'['.repeat(100_000)}\n---\n`, /too deeply/],
    ['is nested as deep by dashes', `---\n${'- '.repeat(100_000)}a\n---\n`, /too deeply/],
    [
      'is nested a thousand levels deep by lines',
      `---\n${Array.from({ length: 1_000 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')}\n---\n`,
      /too deeply/,
    ],
    ['names a hundred thousand values', `---\na: ${'&a '.repeat(100_000)}\n---\n`, /may not refer/],
    ['has a hundred thousand mistakes', `---\n${'a: b: c\n'.repeat(20_000)}---\n`, /^Line 2: /],
  ])('is refused when its beginning %s', (_what, written, message) => {
    expect(() => parseMdx(written)).toThrow(message)
    expect(() => parseMdx(written)).toThrow(expect.objectContaining({ code: 'INVALID' }))
  })
})

it('takes very many fields apart', () => {
  const frontmatter = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, index]))

  expect(parseMdx(printMdx({ frontmatter, content: '' })).frontmatter).toEqual(frontmatter)
})

describe('a thing as text', () => {
  const thing = fc.record({
    $id: fc.constantFrom('note/a', 'b'),
    $type: fc.constantFrom('Note', 'yes', 'null'),
    visibility: fc.constantFrom('private' as const, 'public' as const),
    data: fc.dictionary(fc.oneof(key, fc.constantFrom('$id', '$type', 'visibility', '$data')), value, { maxKeys: 5, noNullPrototype: true }),
    content: text,
  })

  it('is the same thing when it is read, also one whose data has the names of its own fields', () => {
    fc.assert(
      fc.property(thing, (written) => {
        expect(parseThing(printThing(written, 'note/a'), 'note/a')).toEqual(written)
      }),
    )
  })

  it('tells its id only if its place does not', () => {
    const written = { $id: 'note/a', $type: 'Note', visibility: 'private' as const, data: {}, content: '' }

    expect(printThing(written, 'note/a')).toBe('---\n$type: Note\n---\n')
    expect(printThing(written, 'elsewhere')).toBe('---\n$id: note/a\n$type: Note\n---\n')
  })

  it.each([
    ['no type', 'title: x', '$type'],
    ['a number for a type', '$type: 1', '$type'],
    ['a list for an id', '$type: Note\n$id: [a]', '$id'],
    ['a visibility there is not', '$type: Note\nvisibility: secret', 'visibility'],
    ['a word for its data', '$type: Note\n$data: x', '$data'],
  ])('is refused with %s', (_what, yaml, path) => {
    expect(() => parseThing(`---\n${yaml}\n---\n`, 'a')).toThrow(expect.objectContaining({ code: 'INVALID', details: [{ path, message: expect.any(String) }] }))
  })
})

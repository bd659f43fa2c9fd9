import { describe, expect, it } from 'vitest'
import { thingGlobSchema, thingPathSchema } from '../src/index.ts'

const LONGEST = 'a'.repeat(512)

describe('one thing', () => {
  it.each([
    'note',
    'note/2026/hello',
    'a.b/~c_-',
    LONGEST,
    'note@1',
    'note@999999999',
    'note@2026-11-21',
    'note@2026-11-21T09:30Z',
    'note@2026-11-21T09:30:00Z',
    'note@2026-11-21T09:30:00.123456789+05:30',
    'note::Note',
    'note::blog.Post-1_a@3',
    `${LONGEST}::${'T'.repeat(128)}@2026-11-21T09:30:00.123456789+05:30`,
  ])('is named by %s', (path) => {
    expect(thingPathSchema.safeParse(path)).toEqual({ success: true, data: path })
  })

  it.each([
    '',
    '/',
    'note/',
    '/note',
    'a//b',
    '.',
    '..',
    'a/../b',
    'a/..@1',
    '../a::Note',
    'note/*',
    'note@',
    'note@-1',
    'note@1.5',
    'note@1234567890',
    'note@2026-11',
    'note@2026-11-21T09:30',
    'note@2026-11-21 09:30Z',
    'note@1@2',
    'note@1::Note',
    'note::',
    'note::1',
    'note::Note::Page',
    `note::${'T'.repeat(129)}`,
    ':Note',
    '::Note',
    '@1',
    'nöte',
    'note\n',
    'note@1\n',
    '(a+)+',
    `${LONGEST}a`,
    `${LONGEST}a@1`,
  ])('is not named by %j', (path) => {
    expect(thingPathSchema.safeParse(path).success).toBe(false)
  })
})

describe('many things', () => {
  it.each([
    '*',
    '**',
    '**/*',
    'note/*',
    'note/**/x',
    'n*e',
    'note',
    '::Note',
    'Thing::Note',
    'note/*::Note',
    '*'.repeat(16),
    '*.md',
    '..*',
    `${LONGEST}::${'T'.repeat(128)}`,
  ])('are named by %s', (glob) => {
    expect(thingGlobSchema.safeParse(glob)).toEqual({ success: true, data: glob })
  })

  it.each([
    '',
    '/',
    '/*',
    '*/',
    'a//*',
    '.',
    '..',
    '../*',
    '*/..',
    '..::Note',
    '*'.repeat(17),
    'a*'.repeat(40),
    '*@1',
    '*::',
    '*::1',
    ':Note',
    '[ab]*',
    '{a,b}',
    'a?',
    '(a+)+*',
    '*\n',
    'ü*',
  ])('are not named by %j', (glob) => {
    expect(thingGlobSchema.safeParse(glob).success).toBe(false)
  })

  it('are told apart from nothing in a moment, however the text is made', () => {
    const bombs = ['a/'.repeat(320), `${'a'.repeat(600)}!`, `${'*a'.repeat(300)}:`, `${'../'.repeat(200)}`, `${'a.'.repeat(300)}::`]

    expect(bombs.map((bomb) => thingGlobSchema.safeParse(bomb).success || thingPathSchema.safeParse(bomb).success)).toEqual(bombs.map(() => false))
  })
})

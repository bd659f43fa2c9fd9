import { command, contract, query } from '@dot-do/worker-contracts/contract'
import { openapi } from '@dot-do/worker-kernel/openapi'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { brokenDocuments, staleDocuments } from '../checks/documents.ts'
import { operationsTable, withOperations } from '../operations.ts'
import { tree, type Files } from './tree.ts'

const notes = contract(
  'notes',
  { summary: 'Notes', version: '1.0.0' },
  {
    create: command({
      summary: 'Write a note | memo',
      input: z.object({ text: z.string() }),
      output: z.object({ id: z.string() }),
      permission: 'notes:write',
      repeat: 'keyed',
      http: 'POST /notes',
      tool: true,
      queue: true,
    }),
    count: query({ summary: 'Count notes', input: z.object({}), output: z.object({ count: z.int() }), permission: 'notes:read' }),
  },
)

const TABLE = [
  '| Operation | Summary              | Interfaces | HTTP          | Permission    | Repeat  |',
  '| --------- | -------------------- | ---------- | ------------- | ------------- | ------- |',
  '| `create`  | Write a note \\| memo | R H M Q    | `POST /notes` | `notes:write` | keyed   |',
  '| `count`   | Count notes          | R          |               | `notes:read`  | natural |',
].join('\n')

const README = `# notes\n\n<!-- operations -->\n\n${TABLE}\n\n<!-- /operations -->\n\nThe end.\n`

const FRESH: Files = { 'docs/openapi/notes.json': `${JSON.stringify(openapi(notes), null, 2)}\n`, 'notes/README.md': README }

it('lists the operations of a contract with their interfaces', () => {
  expect(operationsTable(notes)).toBe(TABLE)
})

it('replaces what stands between the markers and nothing else', () => {
  const stale = README.replace(TABLE, 'old words')

  expect(withOperations(stale, notes)).toBe(README)
  expect(withOperations('# notes\n', notes)).toBeUndefined()
})

it('passes a tree as it was generated, also without a README', async () => {
  const root = await tree(FRESH)
  const bare = await tree({ ...FRESH, 'notes/README.md': undefined })

  const problems = await Promise.all([staleDocuments(root, [notes]), staleDocuments(bare, [notes])])

  expect(problems).toEqual([[], []])
})

const STALE: [what: string, files: Files, problem: object][] = [
  [
    'a document that promises something else',
    { 'docs/openapi/notes.json': '{}\n' },
    { file: 'docs/openapi/notes.json', message: expect.stringContaining('pnpm generate') },
  ],
  [
    'a document that was never written',
    { 'docs/openapi/notes.json': undefined },
    { file: 'docs/openapi/notes.json', message: expect.stringContaining('pnpm generate') },
  ],
  ['a document without a contract', { 'docs/openapi/memos.json': '{}\n' }, { file: 'docs/openapi/memos.json', message: 'belongs to no contract: remove it' }],
  [
    'a stale table of operations',
    { 'notes/README.md': README.replace('keyed', 'unsafe') },
    { file: 'notes/README.md', message: expect.stringContaining('pnpm generate') },
  ],
]

it.each(STALE)('finds %s', async (_what, files, problem) => {
  const root = await tree({ ...FRESH, ...files })

  const problems = await staleDocuments(root, [notes])

  expect(problems).toEqual([problem])
})

const DOCUMENT = {
  openapi: '3.1.1',
  info: { title: 'notes', version: '1.0.0', license: { name: 'MIT', identifier: 'MIT' } },
  servers: [{ url: 'https://notes.do' }],
  security: [],
  paths: { '/notes': { get: { operationId: 'list', summary: 'List', responses: { 200: { description: 'OK' }, 404: { description: 'None' } } } } },
}

it('passes documents that keep the rules of OpenAPI', async () => {
  const root = await tree({
    'redocly.yaml': 'extends: [recommended-strict]\n',
    'docs/openapi/notes.json': JSON.stringify(DOCUMENT, null, 2),
    'docs/openapi/memos.json': JSON.stringify(DOCUMENT),
  })

  const problems = await brokenDocuments(root)

  expect(problems).toEqual([])
})

it('finds what breaks the rules of OpenAPI in every document', async () => {
  const { license, ...info } = DOCUMENT.info
  const broken = JSON.stringify({ ...DOCUMENT, info }, null, 2)
  const root = await tree({ 'redocly.yaml': 'extends: [recommended-strict]\n', 'docs/openapi/notes.json': broken, 'docs/openapi/memos.json': broken })

  const problems = await brokenDocuments(root)

  expect(license).toBeDefined()
  expect(problems.map(({ file }) => file).sort()).toEqual(['docs/openapi/memos.json', 'docs/openapi/notes.json'])
  expect(problems[0]?.message).toContain('[info-license]')
})

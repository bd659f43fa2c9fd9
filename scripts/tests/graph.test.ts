import { command, contract, query } from '@dot-do/worker-contracts/contract'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { staleDocuments } from '../checks/documents.ts'
import { generatedFiles } from '../generated.ts'
import { dotOf } from '../graph/dot.ts'
import { pictureOf, readGraph } from '../graph/graph.ts'
import { graphOf, type GraphConfig } from '../graph/model.ts'
import { tree } from './tree.ts'

const input = z.object({})
const output = z.object({})
const terms = { summary: 'Do it', input, output }
const notes = contract(
  'notes',
  { summary: 'Notes', version: '1.0.0' },
  {
    health: query({ ...terms, permission: 'public', http: 'GET /health' }),
    list: query({ ...terms, permission: 'notes:read', http: 'GET /notes', tool: true }),
    write: command({ ...terms, permission: 'notes:write', repeat: 'natural', queue: true }),
    whoami: query({ ...terms, permission: 'authenticated' }),
  },
)

const FRONT: GraphConfig = {
  routes: [{ pattern: 'front.do' }],
  services: [
    { binding: 'NOTES_SERVICE', service: 'notes', props: { principal: { id: 'front', permissions: ['notes:*'] }, delegate: { permissions: ['*'] } } },
    { binding: 'STRANGER', service: 'notes' },
  ],
  queues: { producers: [{ binding: 'NOTES_QUEUE', queue: 'notes' }] },
  dispatch_namespaces: [{ binding: 'TENANT', namespace: 'tenants', outbound: { service: 'front' } }],
  durable_objects: { bindings: [{ name: 'Theirs', class_name: 'Their', script_name: 'notes' }] },
}
const NOTES: GraphConfig = {
  durable_objects: { bindings: [{ name: 'Books', class_name: 'Book' }] },
  queues: { consumers: [{ queue: 'notes', dead_letter_queue: 'notes-dlq' }] },
  r2_buckets: [{ binding: 'FILES', bucket_name: 'files' }],
  triggers: { crons: ['0 * * * *'] },
}

const graph = graphOf(
  [
    { name: 'notes', config: NOTES },
    { name: 'front', config: FRONT },
  ],
  [notes],
)

describe('the graph', () => {
  it('says of each Worker what it offers over which interface, what that needs, and what it holds', () => {
    expect(graph.workers).toEqual([
      { name: 'front', permissions: {}, durableObjects: [], holds: [] },
      {
        name: 'notes',
        interfaces: { rpc: 4, http: 2, mcp: 1, queue: 1 },
        permissions: { authenticated: 1, 'notes:read': 1, 'notes:write': 1, public: 1 },
        durableObjects: ['Book'],
        holds: ['R2 files', 'cron 0 * * * *'],
      },
    ])
  })

  it('says of each binding as whom it calls, what it may, in whose name, and how much that is', () => {
    expect(graph.edges.filter(({ kind }) => kind === 'call')).toEqual([
      {
        kind: 'call',
        from: 'front',
        to: 'notes',
        binding: 'NOTES_SERVICE',
        principal: 'front',
        permissions: ['notes:*'],
        delegate: ['*'],
        allowed: 4,
        operations: 4,
      },
      { kind: 'call', from: 'front', to: 'notes', binding: 'STRANGER', permissions: [], allowed: 1, operations: 4 },
    ])
  })

  it('has every other way there is: routes, queues, published workers, objects of another Worker', () => {
    expect(graph.edges.filter(({ kind }) => kind !== 'call')).toEqual([
      { kind: 'request', from: 'outside', to: 'front', by: ['front.do'] },
      { kind: 'dispatch', from: 'front', to: 'published', by: ['tenants'] },
      { kind: 'outbound', from: 'published', to: 'front', by: ['outbound'] },
      { kind: 'send', from: 'front', to: 'queue:notes', by: ['NOTES_QUEUE'] },
      { kind: 'object', from: 'front', to: 'notes', by: ['Theirs: Their'] },
      { kind: 'deliver', from: 'queue:notes', to: 'notes', by: ['notes'] },
      { kind: 'dead-letter', from: 'queue:notes', to: 'queue:notes-dlq', by: ['given up'] },
    ])
  })
})

describe('the picture', () => {
  it('is the same each time, whatever the order of the Workers, and brings its own ground', async () => {
    const turned = graphOf(
      [
        { name: 'front', config: FRONT },
        { name: 'notes', config: NOTES },
      ],
      [notes],
    )

    const [one, other] = [await pictureOf(graph), await pictureOf(turned)]

    expect(other).toBe(one)
    expect(one).toMatch(/^<svg [^>]*role="img"[^>]*>\n<title id="title">Who may call whom/)
    expect(one).toMatch(/<polygon fill="#fbfaf6" stroke="none"/)
    for (const text of ['front', 'notes', 'notes:*', '4 of 4 operations', 'tenants', 'front.do', 'notes-dlq', 'Durable Objects: Book'])
      expect(one).toContain(`>${text}<`)
  })

  it('shows names as text, whatever characters they have', async () => {
    const odd = graphOf([{ name: 'a"b<c>&\\', config: { ...NOTES, routes: [{ pattern: '<script>"&\\' }] } }], [])

    const picture = await pictureOf(odd)

    expect(picture).toContain('&lt;script&gt;')
    expect(picture).not.toContain('<script')
    expect(dotOf(odd)).toContain('"a\\"b<c>&\\\\"')
  })

  it('is one of the generated files of a tree with Workers, and found when it is not fresh', async () => {
    const root = await tree({ 'notes/wrangler.jsonc': '{ "name": "notes", // a comment\n }', 'docs/graph.svg': 'old' })
    const bare = await tree({ 'docs/a.md': '' })

    const [generated, none, stale] = [await generatedFiles(root, []), await generatedFiles(bare, []), await staleDocuments(root, [])]

    expect(generated).toMatchObject([{ file: 'docs/graph.svg', present: 'old', wanted: expect.stringMatching(/^<svg/) }])
    expect(none).toEqual([])
    expect(stale).toMatchObject([{ file: 'docs/graph.svg', message: expect.stringContaining('pnpm generate') }])
    expect(await readGraph(bare, [])).toBeUndefined()
  })
})

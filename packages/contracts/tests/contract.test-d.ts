import {
  command,
  contract,
  query,
  type Contract,
  type InputOf,
  type MessageOf,
  type OutputOf,
  type Service,
  type ServiceOf,
} from '@dot-do/worker-contracts/contract'
import type { Db, DbMessage } from '@dot-do/worker-contracts/db'
import type { CallOptions, QueueMessage } from '@dot-do/worker-types'
import { expectTypeOf } from 'vitest'
import * as z from 'zod'

const notes = contract(
  'notes',
  { summary: 'Notes', version: '1.0.0' },
  {
    get: query({ summary: 'Read', input: z.object({ id: z.string() }), output: z.object({ text: z.string() }), permission: 'notes:read' }),
    create: command({
      summary: 'Write',
      input: z.object({ text: z.string(), tags: z.array(z.string()).default([]) }),
      output: z.object({ id: z.string(), at: z.string().default('') }),
      permission: 'notes:write',
      repeat: 'keyed',
      queue: true,
    }),
    remove: command({
      summary: 'Remove',
      input: z.object({ id: z.string() }),
      output: z.object({}),
      permission: 'notes:write',
      repeat: 'natural',
      queue: false,
    }),
  },
)
type Notes = ServiceOf<typeof notes>

// A contract keeps its name and every operation's own types, and still is a contract like any other.
expectTypeOf(notes.name).toEqualTypeOf<'notes'>()
expectTypeOf<keyof (typeof notes)['operations']>().toEqualTypeOf<'get' | 'create' | 'remove'>()
expectTypeOf(notes).toExtend<Contract>()

// What goes in is what is sent, before defaults; what comes out is what is received, after them.
expectTypeOf<InputOf<(typeof notes)['operations']['create']>>().toEqualTypeOf<{ text: string; tags?: string[] | undefined }>()
expectTypeOf<OutputOf<(typeof notes)['operations']['create']>>().toEqualTypeOf<{ id: string; at: string }>()

// A binder sees one method per operation, `(input, call?)`, and the tools.
expectTypeOf<Notes['get']>().toEqualTypeOf<(input: { id: string }, call?: CallOptions) => Promise<{ text: string }>>()
expectTypeOf<Notes['callTool']>().parameter(0).toEqualTypeOf<{ name: string; arguments?: Record<string, unknown> | undefined }>()
expectTypeOf<Notes['create']>().parameter(0).toEqualTypeOf<{ text: string; tags?: string[] | undefined }>()
expectTypeOf<Notes>().not.toHaveProperty('fetch')
expectTypeOf<Service<Notes>['fetch']>().toEqualTypeOf<typeof globalThis.fetch>()

// A queue takes the queued operations and nothing else.
expectTypeOf<MessageOf<typeof notes>>().toEqualTypeOf<QueueMessage<'create', { text: string; tags?: string[] | undefined }>>()
expectTypeOf<DbMessage['operation']>().extract<'upsert' | 'embed' | 'get'>().toEqualTypeOf<'upsert' | 'embed'>()
expectTypeOf<Parameters<Db['get']>[0]>().toEqualTypeOf<{ id: string; ns?: string | undefined }>()

// @ts-expect-error -- a path parameter cannot make up a method
command({ ...notes.operations.create, http: 'FETCH /notes' })
// @ts-expect-error -- a query has nothing to say about repetition
query({ ...notes.operations.get, repeat: 'sometimes' } satisfies Parameters<typeof query>[0])
// @ts-expect-error -- a command says what a second arrival does
command({ summary: 'Write', input: z.object({}), output: z.object({}), permission: 'notes:write' })
// @ts-expect-error -- the status is judged by the output, which has no such field
query({ summary: 'Read', input: z.object({}), output: z.object({ id: z.string() }), permission: 'public', status: (answer) => (answer.version ? 201 : 200) })

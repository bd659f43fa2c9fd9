import { command, contract, query } from '@dot-do/worker-contracts/contract'
import { health } from '@dot-do/worker-contracts/health'
import { implement, type Implementation } from '@dot-do/worker-kernel/implement'
import type { Ledger, LedgerEntry, Remembered } from '@dot-do/worker-kernel/ledger'
import { ServiceError } from '@dot-do/worker-utils'
import * as z from 'zod'

const Note = z.object({ id: z.string(), text: z.string() }).meta({ id: 'Note' })
const Sealed = Note.extend({ key: z.string().optional() })

/** A small contract with one operation of every sort, for the kernel's own tests. */
export const notes = contract(
  'notes',
  { summary: 'Notes', version: '1.2.3' },
  {
    health,
    create: command({
      summary: 'Write a note',
      description: 'Kept until the test ends.',
      input: z.object({ text: z.string().min(1).max(20), tags: z.array(z.string()).default([]) }),
      output: Note,
      permission: 'notes:write',
      repeat: 'keyed',
      http: 'POST /notes',
      status: () => 201,
      statuses: [201],
      tool: true,
      queue: true,
    }),
    seal: command({
      summary: 'Write a note with a key that is shown once',
      input: z.object({ text: z.string() }),
      output: Sealed,
      permission: 'notes:write',
      repeat: 'keyed',
      http: 'POST /seals',
      secret: 'key',
    }),
    get: query({
      summary: 'Read one note',
      input: z.object({ id: z.string(), revision: z.int().optional() }),
      output: Note,
      permission: 'notes:read',
      http: 'GET /notes/:id+',
      tool: true,
    }),
    list: query({
      summary: 'List notes',
      input: z.object({
        limit: z.int().min(1).max(100).default(20),
        deep: z.boolean().default(false),
        tag: z.array(z.string()).optional(),
        sizes: z.array(z.number()).default([]),
        below: z.number().nullable().optional(),
        filter: z.object({ by: z.string() }).optional(),
      }),
      output: z.object({ asked: z.unknown() }),
      permission: 'notes:read',
      http: 'GET /notes',
      tool: true,
    }),
    revision: query({
      summary: 'Read one revision',
      input: z.object({ id: z.string(), number: z.int() }),
      output: z.object({ id: z.string(), number: z.int() }),
      permission: 'notes:read',
      http: 'GET /revisions/:id/:number',
    }),
    remove: command({
      summary: 'Remove a note',
      input: z.object({ id: z.string(), ifVersion: z.int().optional() }),
      output: z.object({ removed: z.string(), ifVersion: z.int().optional() }),
      permission: 'notes:write',
      repeat: 'natural',
      http: 'DELETE /notes/:id+',
      tool: true,
      queue: true,
    }),
    whoAmI: query({
      summary: 'Show the call as the operation sees it',
      input: z.object({}),
      output: z.object({ id: z.string(), kind: z.string(), permissions: z.array(z.string()), via: z.string(), requestId: z.string(), traceparent: z.string() }),
      permission: 'authenticated',
      http: 'GET /me',
      tool: true,
    }),
    breaks: query({
      summary: 'Fail as asked',
      input: z.object({ how: z.enum(['stranger', 'upstream', 'lies', 'missing']) }),
      output: z.object({ ok: z.literal(true) }),
      permission: 'notes:read',
      http: 'GET /breaks/:how',
      tool: true,
    }),
    import: command({
      summary: 'Take a large body',
      input: z.object({ text: z.string() }),
      output: z.object({ length: z.int() }),
      permission: 'notes:import',
      repeat: 'unsafe',
      http: 'PUT /import',
      bodyLimitBytes: 3_000_000,
    }),
    announce: command({
      summary: 'Take a word from anyone',
      input: z.object({ text: z.string() }),
      output: z.object({ heard: z.string() }),
      permission: 'public',
      repeat: 'natural',
      http: 'POST /announcements',
    }),
  },
)

/** What the notes' code may touch: the notes, the ledger's rows, and how often an operation ran. */
export interface Store {
  notes: Map<string, { id: string; text: string }>
  rows: Map<string, Remembered>
  runs: string[]
  /** What `create` waits for before it commits: a test that races lets the rivals meet here. */
  rivals(): Promise<void>
}

/** What the notes' code is given. */
export interface NotesEnv {
  store: Store
}

/** An empty store. */
export function createStore(): Store {
  return { notes: new Map(), rows: new Map(), runs: [], rivals: () => Promise.resolve() }
}

/** A ledger in memory that keeps what a real one keeps: rows by principal, operation and key. */
export function memoryLedger<Env>(storeOf: (env: Env) => Store): Ledger<Env> {
  return { find: async (entry, { env }) => storeOf(env).rows.get(rowOf(entry)) }
}

/** Commits an effect and its ledger row together, or neither: CONFLICT when the row is there already, as a unique index says it. */
export function commit({ rows, notes: kept }: Store, entry: LedgerEntry | undefined, note: { id: string; text: string; key?: string }): void {
  if (entry) {
    if (rows.has(rowOf(entry))) throw new ServiceError('CONFLICT', 'The row is there already')
    const answer = Object.fromEntries(Object.entries(note).filter(([field]) => field !== entry.secret))
    rows.set(rowOf(entry), { inputHash: entry.inputHash, answer })
    entry.committed = true
  }
  kept.set(note.id, { id: note.id, text: note.text })
}

function rowOf({ principal, operation, key }: LedgerEntry): string {
  return JSON.stringify([principal, operation, key])
}

/** The notes' code over a store. */
export function notesOperations<Env>(storeOf: (env: Env) => Store): Implementation<typeof notes, Env> {
  return {
    health: () => ({ status: 'ok', service: 'notes', version: '1.2.3', checks: {} }),
    async create({ text }, { env, entry }) {
      const store = storeOf(env)
      store.runs.push(`create ${text}`)
      const note = { id: `note_${store.runs.length}`, text }
      await store.rivals()
      if (text !== 'forgetful') commit(store, entry, note)
      return note
    },
    seal({ text }, { env, entry }) {
      const note = { id: 'seal_1', text, key: 'hunter2' }
      commit(storeOf(env), entry, note)
      return note
    },
    get({ id }, { env }) {
      const note = storeOf(env).notes.get(id)
      if (!note) throw new ServiceError('NOT_FOUND', `No note ${id}`)
      return { ...note, owner: 'must not be shown' }
    },
    list: (asked) => ({ asked }),
    revision: (asked) => asked,
    remove({ id, ifVersion }, { env }) {
      storeOf(env).runs.push(`remove ${id}`)
      return { removed: id, ifVersion }
    },
    whoAmI: (_, { principal: { id, kind, permissions }, via, requestId, traceparent }) => ({ id, kind, permissions, via, requestId, traceparent }),
    breaks({ how }) {
      if (how === 'stranger') throw new Error('hunter2 is the password')
      if (how === 'upstream') throw new ServiceError('UPSTREAM', 'The provider failed', { cause: new Error('hunter2 at provider') })
      if (how === 'missing')
        throw new ServiceError('NOT_FOUND', 'Nothing there', { details: [{ path: 'how', message: 'is missing' }], cause: new Error('hunter2') })
      return JSON.parse('{"ok":false,"secret":"hunter2"}') as { ok: true } // a lie the compiler cannot see
    },
    import: ({ text }) => ({ length: text.length }),
    announce: ({ text }) => ({ heard: text }),
  }
}

/** The notes as a service, without its document: projections that need one are given it. */
export function notesService<Env>(storeOf: (env: Env) => Store, document: { openapi: string; 'x-tools': unknown }) {
  return implement(notes, notesOperations(storeOf), { document, ledger: memoryLedger(storeOf) })
}

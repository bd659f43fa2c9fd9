import { expect, it } from 'vitest'
import { bindings } from '../checks/bindings.ts'
import { tree, type Files } from './tree.ts'

const NOTES = {
  name: 'notes',
  main: 'src/index.ts',
  compatibility_date: '2026-11-01',
  workers_dev: false,
  preview_urls: false,
  vars: { KEY_MODE: 'live' },
  durable_objects: { bindings: [{ name: 'Counters', class_name: 'Counter' }] },
  migrations: [{ tag: 'v1', new_sqlite_classes: ['Counter'] }],
  services: [{ binding: 'DB_SERVICE', service: 'db', entrypoint: 'DbService', props: { principal: { id: 'notes', permissions: [] as string[] } } }],
  kv_namespaces: [{ binding: 'PAGES_KV' }],
  queues: { producers: [{ binding: 'NOTES_QUEUE', queue: 'notes' }] },
}

const PROPERTIES = ['DB_SERVICE: Service', 'Counters: Objects', 'PAGES_KV: KVNamespace', 'NOTES_QUEUE: Queue', 'PEPPER: string', 'TRACE?: string']

const env = (properties: string[]) =>
  `export interface Env extends BaseEnv {\n${properties.map((property) => `  /** What for. */\n  ${property}\n`).join('')}}\n`

function platform(notes: object, files: Files = {}): Files {
  return {
    'packages/types/src/env.ts': 'export interface BaseEnv {\n  /** Sort of key. */\n  KEY_MODE?: string\n}\n',
    'packages/local/src/host/local-configuration.ts':
      "export const LOCAL_SECRETS = [{ name: 'PEPPER', services: ['notes'] }]\nexport const LOCAL_VARIABLES = []\n",
    'db/wrangler.jsonc': '{ "name": "db", "compatibility_date": "2026-11-01", "workers_dev": false, "preview_urls": false }',
    'db/src/index.ts': "export { DbService } from './rpc.ts'\nexport default {}\n",
    'db/src/env.ts': env([]),
    'notes/wrangler.jsonc': JSON.stringify({ ...NOTES, ...notes }, null, 2),
    'notes/src/index.ts': "export class Counter {}\nexport { NotesService } from './rpc.ts'\n",
    'notes/src/env.ts': env(PROPERTIES),
    ...files,
  }
}

it('passes Workers whose configuration and env agree', async () => {
  const root = await tree(platform({}))

  const problems = await bindings(root)

  expect(problems).toEqual([])
})

const [binding] = NOTES.services

const BROKEN: [what: string, notes: object, message: string][] = [
  ['a Worker not named after its folder', { name: 'memos' }, 'name is "memos", but a Worker is named after its folder, notes'],
  ['another compatibility date', { compatibility_date: '2026-10-01' }, 'compatibility_date is 2026-11-01 everywhere'],
  ['a door on workers.dev', { workers_dev: true }, 'workers_dev is false everywhere but in gateway: a second door to notes would pass it by'],
  [
    'preview addresses that nobody refused',
    { preview_urls: undefined },
    'preview_urls is false everywhere but in gateway: a second door to notes would pass it by',
  ],
  [
    'a binding without entrypoint',
    { services: [{ ...binding, entrypoint: undefined }] },
    'DB_SERVICE: needs "entrypoint": "DbService", the door for bindings; the default export is the platform\'s',
  ],
  [
    'a binding without props',
    { services: [{ ...binding, props: undefined }] },
    'DB_SERVICE: needs props.principal.id "notes": the binding is the credential of the Worker that holds it',
  ],
  [
    'a binding under the name of another Worker',
    { services: [{ ...binding, props: { principal: { id: 'auth', permissions: [] } } }] },
    'DB_SERVICE: needs props.principal.id "notes": the binding is the credential of the Worker that holds it',
  ],
  [
    'a binding without permissions',
    { services: [{ ...binding, props: { principal: { id: 'notes' } } }] },
    'DB_SERVICE: needs props.principal.permissions, even if empty',
  ],
  ['a binding to no service', { services: [{ ...binding, service: 'base' }] }, 'DB_SERVICE: there is no service "base"'],
  ['a Durable Object without migration', { migrations: [] }, 'Counters: no migration lists Counter in new_sqlite_classes'],
  [
    'a Durable Object class that is not exported',
    { durable_objects: { bindings: [{ name: 'Counters', class_name: 'Count' }] }, migrations: [{ new_sqlite_classes: ['Count'] }] },
    'Counters: src/index.ts does not export the class Count',
  ],
  ['a var that Env lacks', { vars: { KEY_MODE: 'live', COLOUR: 'red' } }, 'COLOUR is not a property of Env in notes/src/env.ts'],
]

it.each(BROKEN)('finds %s', async (_what, notes, message) => {
  const root = await tree(platform(notes))

  const problems = await bindings(root)

  const inConfig = problems.filter(({ file }) => file === 'notes/wrangler.jsonc').map((problem) => problem.message)
  expect(inConfig).toContain(message)
  expect(inConfig.every((found) => found === message || found === 'DB_SERVICE: needs props.principal.permissions, even if empty')).toBe(true)
})

const MISNAMED: [what: string, notes: object, property: string, message: string][] = [
  ['service binding', { services: [{ ...binding, binding: 'DATABASE' }] }, 'DATABASE: Service', 'DATABASE: a binding to db is called DB_SERVICE'],
  ['KV binding', { kv_namespaces: [{ binding: 'PAGES' }] }, 'PAGES: KVNamespace', 'PAGES: a binding of kv_namespaces ends in _KV'],
  [
    'queue binding',
    { queues: { producers: [{ binding: 'QUEUE', queue: 'notes' }] } },
    'QUEUE: Queue',
    'QUEUE: the binding to queue notes is called NOTES_QUEUE',
  ],
  [
    'Durable Object binding',
    { durable_objects: { bindings: [{ name: 'COUNTER', class_name: 'Counter' }] } },
    'COUNTER: Objects',
    'COUNTER: a Durable Object binding is a plain PascalCase plural',
  ],
]

it.each(MISNAMED)('finds a %s by another name', async (_what, notes, property, message) => {
  const properties = [...PROPERTIES.map((known) => known.replace(/\??: /, '?: ')), property]
  const root = await tree(platform(notes, { 'notes/src/env.ts': env(properties) }))

  const problems = await bindings(root)

  expect(problems.map((problem) => problem.message)).toEqual([message])
})

it('finds a property of Env that is neither bound nor a listed secret', async () => {
  const root = await tree(platform({}, { 'notes/src/env.ts': env([...PROPERTIES, 'SALT: string']) }))

  const problems = await bindings(root)

  expect(problems).toEqual([
    {
      file: 'notes/src/env.ts',
      line: 15,
      message: 'SALT is neither in notes/wrangler.jsonc nor a secret listed in packages/local/src/host/local-configuration.ts',
    },
  ])
})

it('finds a property of Env that does not say what it is for', async () => {
  const root = await tree(platform({}, { 'notes/src/env.ts': env(PROPERTIES).replace('/** What for. */', '') }))

  const problems = await bindings(root)

  expect(problems).toEqual([{ file: 'notes/src/env.ts', line: 3, message: 'DB_SERVICE: no doc comment says what it is for' }])
})

it('finds a service whose class others cannot name', async () => {
  const root = await tree(platform({}, { 'db/src/index.ts': 'export default {}\n' }))

  const problems = await bindings(root)

  expect(problems.map(({ message }) => message)).toEqual(['DB_SERVICE: db/src/index.ts does not export DbService'])
})

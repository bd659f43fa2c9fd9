import { expect, it } from 'vitest'
import { floors } from '../checks/floors.ts'
import { tree, type Files } from './tree.ts'

const HOUSE: Files = {
  'packages/types/package.json': '{}',
  'packages/types/src/index.ts': 'export type A = string\n',
  'packages/utils/package.json': '{}',
  'packages/utils/src/id.ts': "import type { A } from '@dot-do/worker-types'\nexport const a: A = ''\n",
  'packages/kernel/package.json': '{}',
  'packages/kernel/src/rpc.ts': "import { WorkerEntrypoint } from 'cloudflare:workers'\nexport { WorkerEntrypoint }\n",
  'packages/data/package.json': '{}',
  'packages/data/src/database.ts': "export * from '@dot-do/worker-kernel/call'\n",
  'packages/local/package.json': '{}',
  'packages/local/src/host.ts': "import '../../../notes/src/index.ts'\n",
  'notes/package.json': '{}',
  'notes/wrangler.jsonc': '{}',
  'notes/src/index.ts': "import document from '../../docs/openapi/notes.json' with { type: 'json' }\nimport './counter.ts'\nexport { document }\n",
  'notes/src/counter.ts': "import { DurableObject } from 'cloudflare:workers'\nexport class Counter extends DurableObject {}\n",
  'notes/tests/notes.test.ts': "import '@dot-do/worker-local/host'\n",
  'db/package.json': '{}',
  'db/wrangler.jsonc': '{}',
  'db/src/index.ts': "import '@neondatabase/serverless'\n",
}

it('passes a house in which everything stands on what is below', async () => {
  const root = await tree(HOUSE)

  const problems = await floors(root)

  expect(problems).toEqual([])
})

const BROKEN: [what: string, file: string, text: string, message: string][] = [
  [
    'a package that imports a higher floor',
    'packages/utils/src/id.ts',
    "import '@dot-do/worker-kernel/call'",
    'utils is on floor 4 and may import only lower floors; kernel is on floor 6',
  ],
  [
    'a package that imports its neighbour',
    'packages/kernel/src/call.ts',
    "import '@dot-do/worker-data/database'",
    'kernel is on floor 6 and may import only lower floors; data is on floor 6',
  ],
  [
    'a service that imports another by path',
    'notes/src/service.ts',
    "import '../../db/src/index.ts'",
    "db/src/index.ts is not notes's own: a relative import stays in its package",
  ],
  [
    'a service that imports only a type of another',
    'notes/src/service.ts',
    "type Db = typeof import('../../db/src/index.ts')",
    "db/src/index.ts is not notes's own: a relative import stays in its package",
  ],
  [
    'a service that imports another by name',
    'notes/src/service.ts',
    "import 'db/src/index.ts'",
    'a service is known by its contract: import @dot-do/worker-contracts/db',
  ],
  [
    "a service that reads another's document",
    'notes/src/service.ts',
    "import '../../docs/openapi/db.json'",
    "docs/openapi/db.json is not notes's own: a relative import stays in its package",
  ],
  [
    'deployed code that imports what is never deployed',
    'notes/src/service.ts',
    "import '@dot-do/worker-local/host'",
    '@dot-do/worker-local/host lies outside the house: nothing that is deployed imports it',
  ],
  [
    'deployed code that imports a test',
    'notes/src/service.ts',
    "import '../tests/notes.ts'",
    'deployed code imports only from src: notes/tests/notes.ts is not deployed',
  ],
  ['the MCP SDK outside mcp', 'notes/src/service.ts', "import { Server } from '@modelcontextprotocol/server'", 'only mcp imports @modelcontextprotocol/'],
  ['the database driver outside db', 'packages/data/src/driver.ts', "import '@neondatabase/serverless'", 'only db imports @neondatabase/serverless'],
  [
    'the runtime on a floor that runs anywhere',
    'packages/utils/src/id.ts',
    "import 'cloudflare:workers'",
    'cloudflare:workers is imported only by rpc.ts and by the files of Durable Objects, so that everything else runs anywhere',
  ],
  [
    'the runtime in a plain file of a service',
    'notes/src/service.ts',
    "import { env } from 'cloudflare:workers'",
    'cloudflare:workers is imported only by rpc.ts and by the files of Durable Objects, so that everything else runs anywhere',
  ],
]

it.each(BROKEN)('finds %s', async (_what, file, text, message) => {
  const root = await tree({ ...HOUSE, [file]: `\n${text}\n` })

  const problems = await floors(root)

  expect(problems).toEqual([{ file, line: 2, message }])
})

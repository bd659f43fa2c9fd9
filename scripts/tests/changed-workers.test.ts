import { expect, it } from 'vitest'
import { changedWorkers } from '../changed-workers.ts'

const ALL = { core: ['db', 'auth', 'gateway'], published: ['hello'] }

const CASES: [what: string, files: string[], core: string[], published: string[]][] = [
  ['a service’s code', ['auth/src/service.ts'], ['auth'], []],
  ['a service’s configuration and migration, in the order of the bindings', ['gateway/wrangler.jsonc', 'db/migrations/0002_more.sql'], ['db', 'gateway'], []],
  ['the document that a service answers', ['docs/openapi/auth.json'], ['auth'], []],
  ['what all share', ['packages/kernel/src/invoke.ts'], ['db', 'auth', 'gateway'], []],
  ['the versions of libraries', ['pnpm-lock.yaml'], ['db', 'auth', 'gateway'], []],
  ['what is published', ['examples/hello/src/index.ts'], [], ['hello']],
  ['tests and pages', ['auth/tests/keys.test.ts', 'auth/README.md', 'packages/kernel/tests/workerd/rpc.test.ts', 'docs/testing.md'], [], []],
  ['what only runs on one’s own machine', ['packages/local/src/dev.ts', 'bench/bench.ts', 'scripts/check.ts'], [], []],
  ['a folder that only begins like a service', ['dbx/src/index.ts', 'examples/hello2/src/index.ts'], [], []],
  ['nothing', [], [], []],
]

it.each(CASES)('finds the workers that %s touches', (_what, files, core, published) => {
  expect(changedWorkers(files, ALL)).toEqual({ core, published })
})

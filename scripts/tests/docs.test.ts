import { expect, it } from 'vitest'
import { docs } from '../checks/docs.ts'
import { tree, type Files } from './tree.ts'

const README = [
  '# A house',
  '',
  '## First steps',
  '',
  '[Steps](#first-steps), [notes](docs/notes.md#how-it-works--mostly), [elsewhere](https://example.com/x).',
  'Run `pnpm dev` or `npx -y pnpm@12 test`; the code is in `packages/utils/src`, state in `.local/dev.json`.',
  'A route such as `db/things` or a glob such as `packages/*/src` is no path.',
  '',
  '```sh',
  'pnpm install && pnpm dev',
  '[not a link](nowhere.md)',
  '```',
  '',
].join('\n')

const SITE: Files = {
  'package.json': '{ "scripts": { "dev": "x", "test": "x" } }',
  'README.md': README,
  'docs/notes.md': '# Notes\n\n## How it works — mostly\n\n[back](../README.md)\n',
  'packages/utils/package.json': '{}',
  'packages/utils/README.md': '# utils\n\nSee `src/id.ts`.\n',
  'packages/utils/src/id.ts': '',
}

it('passes pages whose links, commands and paths exist', async () => {
  const root = await tree(SITE)

  const problems = await docs(root)

  expect(problems).toEqual([])
})

const BROKEN: [what: string, text: string, message: string][] = [
  ['a link to no file', '[x](docs/none.md)', 'the link docs/none.md leads nowhere'],
  ['a link out of the repository', '[x](../other.md)', 'the link ../other.md leads nowhere'],
  ['a link to no heading', '[x](docs/notes.md#why)', 'the link docs/notes.md#why: docs/notes.md has no heading #why'],
  ['a link to no heading of its own', '[x](#why)', 'the link #why: README.md has no heading #why'],
  ['a script that package.json lacks', 'Run `pnpm deploy --all`.', '`pnpm deploy`: package.json has no script "deploy"'],
  ['a path that is gone', 'See `packages/utils/src/ids.ts`.', '`packages/utils/src/ids.ts`: there is no such path'],
]

it.each(BROKEN)('finds %s', async (_what, text, message) => {
  const root = await tree({ ...SITE, 'README.md': README.replace('A route such', `${text} A route such`) })

  const problems = await docs(root)

  expect(problems).toEqual([{ file: 'README.md', line: 7, message }])
})

it('reads commands in code blocks', async () => {
  const root = await tree({ ...SITE, 'docs/notes.md': '# Notes\n\n## How it works — mostly\n\n```sh\npnpm start\n```\n' })

  const problems = await docs(root)

  expect(problems).toEqual([{ file: 'docs/notes.md', line: 6, message: '`pnpm start`: package.json has no script "start"' }])
})

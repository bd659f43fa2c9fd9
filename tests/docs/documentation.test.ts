import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changesOf, commandsOf, filesOf } from './blocks.ts'
import { faultsOf, pages, readPage, ROOT } from './pages.ts'
import { startDev, type StartedPlatform } from './platform.ts'
import { copyWorkspace, type WorkspaceCopy } from './workspace-copy.ts'

/** The page that shows a whole service; its commands are asked of a workspace that has it. */
const TUTORIAL = 'docs/creating-services.md'

const run = promisify(execFile)
const vitest = join(ROOT, 'node_modules/.bin/vitest')
const tsc = join(ROOT, 'node_modules/.bin/tsc')

async function withPlatform(root: string, use: (platform: StartedPlatform, stateDir: string) => Promise<void>): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'dot-do-docs-state-'))
  try {
    const platform = await startDev(root, stateDir)
    await use(platform, stateDir).finally(platform.stop)
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
}

describe('every page', () => {
  it('prints what its commands print, on a platform that was just started', async () => {
    const asked = pages().filter((page) => page !== TUTORIAL && commandsOf(readPage(page)).length > 0)
    const faults: string[] = []

    await withPlatform(ROOT, async ({ url }, stateDir) => {
      for (const page of asked) faults.push(...(await faultsOf(page, { root: ROOT, host: new URL(url).host, stateDir })))
    })

    expect(asked).toContain('README.md')
    expect(faults.join('\n\n')).toBe('')
  })
})

describe(`the service of ${TUTORIAL}`, () => {
  let copy: WorkspaceCopy

  beforeAll(async () => {
    copy = await copyWorkspace(ROOT)
    for (const file of filesOf(readPage(TUTORIAL))) await copy.write(file)
    for (const change of changesOf(readPage(TUTORIAL))) await copy.change(change)
    await copy.link('notes')
    await run(process.execPath, ['scripts/generate.ts'], { cwd: copy.root })
  })

  afterAll(() => copy.remove())

  it('compiles, with its tests and with what it changes', async () => {
    const tests = { extends: './tsconfig.json', include: ['notes/tests'], exclude: [] }
    await writeFile(join(copy.root, 'tsconfig.notes-tests.json'), JSON.stringify(tests))

    const compiled = await Promise.all(['notes', 'gateway', 'mcp', 'tsconfig.notes-tests.json'].map((project) => errorsOf(copy.root, project)))

    expect(compiled.flat()).toEqual([])
  })

  it('passes its own tests', async () => {
    const report = join(copy.root, 'report.json')
    // The runner around this one says in the environment that it is there; the inner one is to know nothing of it.
    const { PATH, HOME } = process.env
    const ended = await run(vitest, ['run', '--project', 'node', '--reporter', 'json', '--outputFile', report, 'notes/tests'], {
      cwd: copy.root,
      env: { PATH, HOME },
    }).then(
      () => 'passed',
      (failure: { stdout: string; stderr: string }) => failure.stdout + failure.stderr,
    )

    expect(ended).toBe('passed')
    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({ numPassedTests: 3, numFailedTests: 0 })
  })

  it('answers as the page says', async () => {
    const faults: string[] = []

    await withPlatform(copy.root, async ({ url }, stateDir) => {
      faults.push(...(await faultsOf(TUTORIAL, { root: copy.root, host: new URL(url).host, stateDir })))
    })

    expect(faults.join('\n\n')).toBe('')
  })
})

/** What the compiler finds wrong in the services themselves; what tests import from a src folder is judged by that folder's own project. */
async function errorsOf(root: string, project: string): Promise<string[]> {
  const printed = await run(tsc, ['-p', project, '--pretty', 'false'], { cwd: root }).then(
    () => '',
    (failure: { stdout: string }) => failure.stdout,
  )
  return printed.split('\n').filter((line) => /^(notes|gateway|mcp)\/.*: error /.test(line))
}

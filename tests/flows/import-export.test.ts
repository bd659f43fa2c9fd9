import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { runCommand, startCommand } from '../full/commands.ts'
import { ask, makeKey, unique } from './client.ts'

const { url } = inject('platform')
const LINES = 'application/x-ndjson'

/** Each command is a process of its own, which a busy machine takes seconds to start. */
const WITH_PROGRAMS = { timeout: 120_000 }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'import-export-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** An export as text; `ask` would take its lines for one JSON. */
async function exported(key: string): Promise<{ type: string | null; text: string }> {
  const answer = await fetch(`${url}/db/export.ndjson`, { headers: { authorization: `Bearer ${key}` } })
  return { type: answer.headers.get('content-type'), text: await answer.text() }
}

/** A tenant of its own, and what its commands need. */
async function tenant(permissions = ['things:read', 'things:write']) {
  const { key, tenant: name } = await makeKey({ permissions, tenant: unique('tenant') })
  const run = (script: string, ...args: string[]) => runCommand(script, [...args, '--url', url], { DOTDO_API_KEY: key })
  return { key, name, run }
}

const place = (name: string): string => join(folder, unique(name))

const note = ($id: string, content = '') => ({ $id, $type: 'Note', content, data: {}, visibility: 'private' })

describe('lines over HTTP', () => {
  it('go out as a stream that says whose they are and how many, and come in elsewhere', async () => {
    const [one, other] = [await tenant(), await tenant()]
    await ask('/db/things', { key: one.key, body: { $type: 'Note', $id: 'a', content: 'Ünï', data: { n: 1 } } })
    await ask('/db/things', { key: one.key, body: { $type: 'Note', $id: 'b' } })
    await ask('/db/relationships', { key: one.key, body: { from: 'a', predicate: 'next', to: 'b' } })

    const out = await exported(one.key)
    const into = await ask('/db/import.ndjson', { key: other.key, body: out.text, headers: { 'content-type': LINES } })
    const again = await exported(other.key)

    expect(out.type).toBe(`${LINES}; charset=utf-8`)
    expect(out.text.split('\n')[0]).toMatch(new RegExp(`^{"\\$export":{"ns":"${one.name}","at":"20`))
    expect(into).toMatchObject({ status: 200, data: { things: 2, relationships: 1, changed: 3 } })
    expect(again.text.split('\n').slice(1)).toEqual(out.text.split('\n').slice(1))
  })

  it('are refused whole, naming the line of the file, when one of them does not fit or the end is missing', async () => {
    const { key } = await tenant()
    const whole = [JSON.stringify({ $export: {} }), JSON.stringify(note('a')), JSON.stringify({ $end: { things: 1, relationships: 0 } })]
    const bodies: [body: string, path: string][] = [
      [whole.slice(0, 2).join('\n'), 'lines.3'],
      [whole.join('\n').slice(0, 40), 'lines.2'],
      [[whole[0], JSON.stringify(note('../a')), whole[2]].join('\n'), 'lines.2.$id'],
      [[whole[0], JSON.stringify({ ...note('a'), data: [] }), whole[2]].join('\n'), 'lines.2.data'],
      [`${whole[1]}\nnot JSON`, 'lines.2'],
    ]

    for (const [body, path] of bodies) {
      const answer = await ask('/db/import.ndjson', { key, body, headers: { 'content-type': LINES } })
      expect(answer).toMatchObject({ status: 400, error: { code: 'INVALID', details: [{ path }] } })
    }
    expect((await ask('/db/count', { key })).data).toEqual({ count: 0 })
  })

  it('are nobody’s without a key, and no more than a key allows', async () => {
    const reader = await tenant(['things:read'])
    const body = JSON.stringify(note('a'))

    const answers = await Promise.all([
      ask('/db/export.ndjson'),
      ask('/db/import.ndjson', { body, headers: { 'content-type': LINES } }),
      ask('/db/import.ndjson', { key: reader.key, body, headers: { 'content-type': LINES } }),
      ask('/db/export.ndjson?ns=default', { key: reader.key }),
      ask('/db/import.ndjson', { key: (await tenant()).key, body }),
    ])

    expect(answers.map(({ status, error }) => [status, error['code']])).toEqual([
      [401, 'UNAUTHENTICATED'],
      [401, 'UNAUTHENTICATED'],
      [403, 'FORBIDDEN'],
      [404, 'NOT_FOUND'],
      [400, 'INVALID'],
    ])
  })

  it('are written once for one Idempotency-Key', async () => {
    const { key } = await tenant()
    const send = () => ask('/db/import.ndjson', { key, body: JSON.stringify(note('a')), headers: { 'content-type': LINES, 'idempotency-key': 'same' } })

    const [first, second] = [await send(), await send()]

    expect(first.data).toMatchObject({ changed: 1 })
    expect(second.data).toEqual(first.data)
  })
})

describe('pnpm db:export and pnpm db:import', WITH_PROGRAMS, () => {
  it('carry things and relationships through a file and through a tree, and change nothing the second time', async () => {
    const [one, two, three] = [await tenant(), await tenant(), await tenant()]
    const [file, tree, back] = [`${place('file')}.ndjson`, place('tree'), `${place('back')}.ndjson`]
    expect(await one.run('import.ts', join(import.meta.dirname, '../../db/seed'))).toMatchObject({ code: 0, stderr: '' })

    const steps = [
      await one.run('export.ts', file),
      await two.run('import.ts', file, '--json'),
      await two.run('export.ts', tree),
      await three.run('import.ts', tree, '--json'),
      await three.run('import.ts', tree, '--json'),
      await three.run('export.ts', back),
    ]

    expect(steps.map(({ code, stderr }) => ({ code, stderr }))).toEqual(steps.map(() => ({ code: 0, stderr: '' })))
    const counts = { things: 13, relationships: 18 }
    expect([1, 3, 4].map((step) => JSON.parse(steps[step]?.stdout ?? ''))).toEqual([
      { ...counts, changed: 31 },
      { ...counts, changed: 31 },
      { ...counts, changed: 0 },
    ])
    const linesOf = async (path: string) => (await readFile(path, 'utf8')).split('\n').slice(1)
    expect(await linesOf(back)).toEqual(await linesOf(file))
  })

  it('go over more lines than one request may have, relationships after all things', async () => {
    const { key, run } = await tenant()
    const file = `${place('many')}.ndjson`
    const things = Array.from({ length: 2_300 }, (_, index) => note(`n/${index}`, 'x'.repeat(index % 500 === 0 ? 300_000 : 5)))
    // A file written by hand may name a relationship before its things.
    await writeFile(file, [{ from: 'n/0', predicate: 'last', to: 'n/2299' }, ...things].map((line) => JSON.stringify(line)).join('\n'))

    const { code, stdout } = await run('import.ts', file)

    expect({ code, stdout }).toEqual({ code: 0, stdout: `${file}: 2,300 things and 1 relationship into ${url}, 2,301 of them new or changed\n` })
    expect((await ask('/db/count', { key })).data).toEqual({ count: 2_300 })
  })

  it('write nothing of a file that is cut or does not fit anywhere, however large', async () => {
    const { key, run } = await tenant()
    const lines = [{ $export: {} }, ...Array.from({ length: 1_500 }, (_, index) => note(`n/${index}`)), { $end: { things: 1_500, relationships: 0 } }].map(
      (line) => JSON.stringify(line),
    )
    const broken = {
      cut: lines.slice(0, -1),
      half: [...lines.slice(0, 1_400), '{"$id":"n/1'],
      unfit: lines.with(1_400, JSON.stringify({ $id: 'x' })),
      twice: lines.with(1_400, lines[7] ?? ''),
    }

    for (const [name, texts] of Object.entries(broken)) {
      const file = `${place(name)}.ndjson`
      await writeFile(file, texts.join('\n'))
      const { code, stdout, stderr } = await run('import.ts', file)
      expect([name, code, stdout]).toEqual([name, 1, ''])
      expect(stderr).toMatch(new RegExp(`^${file}:`))
    }
    expect((await ask('/db/count', { key })).data).toEqual({ count: 0 })
  })

  it('check without writing, and without a platform', async () => {
    const file = `${place('dry')}.ndjson`
    await writeFile(file, JSON.stringify(note('a')))

    const dry = await runCommand('import.ts', [file, '--dry-run', '--state', join(folder, 'nobody')])
    const wet = await runCommand('import.ts', [file, '--state', join(folder, 'nobody')])

    expect(dry).toEqual({ code: 0, stderr: '', stdout: `${file}: 1 thing and 0 relationships; nothing was written\n` })
    expect(wet).toMatchObject({ code: 1, stderr: expect.stringContaining('No platform has run on') })
  })

  it('say what the platform refused, and leave no half of an export', async () => {
    const { run } = await tenant(['things:read'])
    const [file, tree] = [`${place('file')}.ndjson`, place('tree')]
    await writeFile(file, JSON.stringify(note('a')))

    const refused = await run('import.ts', file)
    const elsewhere = await run('export.ts', tree, '--ns', 'default')
    const wrong = await runCommand('export.ts', [tree, '--url', url], { DOTDO_API_KEY: 'sk_test_wrong' })

    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('FORBIDDEN: This needs the permission things:write') })
    expect(elsewhere).toMatchObject({ code: 1, stderr: expect.stringContaining('NOT_FOUND: No namespace default') })
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('UNAUTHENTICATED') })
    expect((await readdir(folder)).filter((name) => name.startsWith('tree'))).not.toContain(tree.slice(folder.length + 1))
  })

  it('can be interrupted and run again', async () => {
    const { key, run } = await tenant()
    const file = `${place('long')}.ndjson`
    await writeFile(file, Array.from({ length: 3_000 }, (_, index) => JSON.stringify(note(`n/${index}`, 'x'.repeat(2_000)))).join('\n'))

    const { pid, ended } = startCommand('import.ts', [file, '--url', url], { DOTDO_API_KEY: key })
    await expect.poll(async () => Number((await ask('/db/count', { key })).data['count']), { timeout: 20_000, interval: 20 }).toBeGreaterThan(0)
    process.kill(pid, 'SIGINT')
    const stopped = await ended
    const again = await run('import.ts', file, '--json')

    expect(stopped).toMatchObject({ code: 130, stdout: '', stderr: expect.stringContaining('run the same again for the rest') })
    expect(JSON.parse(again.stdout)).toMatchObject({ things: 3_000 })
    expect((await ask('/db/count', { key })).data).toEqual({ count: 3_000 })
  })
})

describe('pnpm db:seed', WITH_PROGRAMS, () => {
  it('writes the samples once, and brings back those that were changed', async () => {
    const { key, run } = await tenant()

    const first = await run('seed.ts', '--json')
    const second = await run('seed.ts', '--json')
    await ask('/db/things/doc/search', { key, method: 'DELETE' })
    const third = await run('seed.ts', '--json')
    const types = await ask('/db/types', { key })

    expect([first, second].map(({ stdout }) => JSON.parse(stdout))).toEqual([
      { things: 13, relationships: 18, changed: 31 },
      { things: 13, relationships: 18, changed: 0 },
    ])
    expect(JSON.parse(third.stdout)).toMatchObject({ changed: 1 })
    expect((types.data['items'] as unknown as { type: string }[]).map(({ type }) => type)).toEqual(['Author', 'Doc', 'Post', 'Topic'])
  })
})

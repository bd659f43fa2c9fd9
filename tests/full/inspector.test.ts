import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminFetch, bootPlatform, type BootedPlatform } from './platform.ts'
import { runProgram } from './program.ts'

let platform: BootedPlatform

beforeAll(async () => {
  platform = await bootPlatform()
})
afterAll(() => platform.stop())

/** Asks by the command line of the official inspector, as whoever has the key. */
async function inspect(path: string, args: string[], key = platform.adminKey): Promise<{ code: number; answer: Record<string, unknown>; stderr: string }> {
  const connection = ['--cli', platform.url + path, '--transport', 'http', '--header', `Authorization: Bearer ${key}`]
  const { code, stdout, stderr } = await runProgram('mcp-inspector', [...connection, ...args])
  return { code, answer: stdout.startsWith('{') ? (JSON.parse(stdout) as Record<string, unknown>) : {}, stderr: stderr + stdout }
}

async function dataOf(answer: Promise<Response>): Promise<unknown> {
  return ((await (await answer).json()) as { data: unknown }).data
}

describe('the MCP inspector', () => {
  it('lists every tool that the services’ documents offer', async () => {
    const documents = await Promise.all(
      ['auth', 'db', 'deploy', 'dispatcher', 'queue', 'schedule'].map(
        async (service) => (await (await adminFetch(platform, `/${service}/openapi.json`)).json()) as { 'x-tools': { name: string }[] },
      ),
    )

    const { answer } = await inspect('/mcp', ['--method', 'tools/list'])

    const tools = answer['tools'] as { name: string }[]
    expect(tools).toEqual(documents.flatMap((document) => document['x-tools']))
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['db_get', 'db_upsert', 'auth_create_key']))
  })

  it('writes and reads what HTTP reads and wrote', async () => {
    const call = (tool: string, args: string[]) =>
      inspect('/mcp', ['--method', 'tools/call', '--tool-name', tool, ...args.flatMap((argument) => ['--tool-arg', argument])])

    const written = await call('db_upsert', ['$type=Note', '$id=note/inspected', 'content=Hi', 'data={"tags":["a"]}'])
    const overHttp = await dataOf(adminFetch(platform, '/db/things/note/inspected'))
    const read = await call('db_get', ['id=note/inspected'])
    const listed = await call('db_list', ['type=Note', 'limit=5'])

    expect(written.answer['structuredContent']).toEqual(overHttp)
    expect(overHttp).toMatchObject({ $id: 'note/inspected', content: 'Hi', data: { tags: ['a'] }, version: 1 })
    expect(read.answer['structuredContent']).toEqual(overHttp)
    expect(listed.answer['structuredContent']).toEqual(await dataOf(adminFetch(platform, '/db/things?type=Note&limit=5')))
  })

  it('is told in a result what went wrong, with the code that HTTP has', async () => {
    const overHttp = (await (await adminFetch(platform, '/db/things/no/such')).json()) as { error: { code: string; message: string } }

    const { answer } = await inspect('/mcp', ['--method', 'tools/call', '--tool-name', 'db_get', '--tool-arg', 'id=no/such'])

    const [content] = answer['content'] as { text: string }[]
    const { error } = JSON.parse(content?.text ?? '{}') as typeof overHttp
    expect(answer['isError']).toBe(true)
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: overHttp.error.message })
    expect(error.code).toBe(overHttp.error.code)
  })

  it('sees one service’s tools at that service, and at /mcp what its key may use', async () => {
    const made = (await dataOf(adminFetch(platform, '/auth/apikeys', { name: 'reader', permissions: ['things:read'] }))) as { key: string }

    const [atAuth, reading] = await Promise.all([inspect('/auth/mcp', ['--method', 'tools/list']), inspect('/mcp', ['--method', 'tools/list'], made.key)])

    const namesOf = ({ answer }: { answer: Record<string, unknown> }) => (answer['tools'] as { name: string }[]).map(({ name }) => name)
    expect(namesOf(atAuth).filter((name) => !name.startsWith('auth_'))).toEqual([])
    expect(namesOf(atAuth)).toContain('auth_list_keys')
    expect(namesOf(reading)).toEqual(expect.arrayContaining(['db_get', 'db_list']))
    expect(namesOf(reading)).not.toContain('db_upsert')
  })

  it('is not let in with a key that is none', async () => {
    const { code, stderr } = await inspect('/mcp', ['--method', 'tools/list'], 'sk_test_none')

    expect(code).not.toBe(0)
    expect(stderr).toContain('auth_required')
  })
})

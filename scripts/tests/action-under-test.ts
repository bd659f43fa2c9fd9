import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { ROOT } from '../root.ts'
import { tree } from './tree.ts'

/** The key that the action is given, unless a test says otherwise. */
export const KEY = 'sk_test_0123456789abcdef'

/** The worker's code. */
export const CODE = 'export default { fetch: () => new Response("hi") }\n'

/** What deploy.do answers when all is well. */
export const PUBLISHED = {
  deployment: { id: 'dep_1', service: 'hello', environment: 'production', tenant: 'acme', status: 'live' },
  version: 3,
  url: 'https://acme.hello.tenant.do',
  previewUrl: 'https://v3.acme.hello.tenant.do',
}

/** A status, a body, headers. */
export type Answer = [status: number, body: unknown, headers?: Record<string, string>]

/** What the action did. */
export interface Ran {
  code: number
  stdout: string
  output: Record<string, string>
  summary: string
}

/** The action in a folder with a worker, and a server that stands for everything it asks. */
export interface ActionUnderTest {
  /** What the server answers next; the last one stays. */
  answers: Answer[]
  requests: { method: string; url: string; headers: IncomingHttpHeaders; body: unknown }[]
  url: string
  folder: string
  /** Runs the action as the runner does, with inputs, and what the runner says of a push. */
  run(inputs: Record<string, string>, github?: Record<string, string>): Promise<Ran>
  close(): void
}

/** Starts the server and makes the folder. */
export async function startAction(): Promise<ActionUnderTest> {
  const requests: ActionUnderTest['requests'] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', headers } = request
    const text = Buffer.concat(chunks).toString()
    requests.push({ method, url: String(request.url), headers, body: text.startsWith('{') ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text)) })
    const { answers } = action
    const [status, body, more] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [500, '']
    response.writeHead(status, { 'content-type': 'application/json', ...more }).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const folder = await tree({ 'dist/index.js': CODE, 'dist/lib/greet.js': 'export {}\n', 'dist/README.md': '# made\n', 'public/index.html': '<p>' })
  const action: ActionUnderTest = {
    answers: [[201, { success: true, data: PUBLISHED }]],
    requests,
    url,
    folder,
    run: (inputs, github = {}) => run({ url, folder }, inputs, github),
    close: () => void server.close(),
  }
  return action
}

async function run({ url, folder }: Pick<ActionUnderTest, 'url' | 'folder'>, inputs: Record<string, string>, github: Record<string, string>): Promise<Ran> {
  const [output, summary] = [join(folder, 'output'), join(folder, 'summary')]
  await Promise.all([writeFile(output, ''), writeFile(summary, '')])
  const given = Object.entries({ service: 'hello', url, 'api-key': KEY, main: 'index.js', activate: 'true', ...inputs })
  const env = {
    PATH: dirname(process.execPath),
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_RUN_ID: '7',
    ...github,
    ...Object.fromEntries(given.map(([name, value]) => [`DEPLOY_${name.toUpperCase().replaceAll('-', '_')}`, value])),
  }
  const { code, stdout } = await new Promise<{ code: number; stdout: string }>((resolve) => {
    execFile('node', [join(ROOT, '.github/actions/deploy/deploy.mjs')], { cwd: folder, env }, (error, printed, errors) =>
      resolve({ code: error ? Number(error.code) : 0, stdout: printed + errors }),
    )
  })
  const set = [...(await readFile(output, 'utf8')).matchAll(/^(\w+)<<(\S+)\n([^]*?)\n\2$/gm)].map(([, name = '', , value = '']) => [name, value])
  return { code, stdout, output: Object.fromEntries(set), summary: await readFile(summary, 'utf8') }
}

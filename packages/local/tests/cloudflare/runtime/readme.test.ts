import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'

const FOLDER = new URL('../../../src/cloudflare/', import.meta.url)

it('does what its README shows, in a program of its own', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'readme-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }))
  await writeFile(join(dir, 'example.ts'), await example())
  const program = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'example.ts'], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(async () => {
    // Miniflare ends its own process at this signal, and not at SIGKILL.
    program.kill('SIGTERM')
    await once(program, 'exit')
  })
  const [line] = await once(createInterface(program.stdout), 'line')
  const { url, apiBaseUrl, apiToken, accountId } = JSON.parse(String(line))

  const form = new FormData()
  form.set('metadata', JSON.stringify({ main_module: 'main.js', compatibility_date: '2026-11-01' }))
  const code = `export default { fetch: (request, env, ctx) => Response.json(ctx.props) }`
  form.set('main.js', new File([code], 'main.js', { type: 'application/javascript+module' }))
  const published = await fetch(`${apiBaseUrl}/accounts/${accountId}/workers/dispatch/namespaces/tenants/scripts/shop`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${apiToken}` },
    body: form,
  })

  expect(await published.json()).toMatchObject({ success: true })
  expect(await (await fetch(new URL('/shop', url))).json()).toEqual({ plan: 'free' })
})

/** The part's program, with its imports made absolute: it runs elsewhere. */
async function example(): Promise<string> {
  const readme = await readFile(new URL('README.md', FOLDER), 'utf8')
  const [, code = ''] = /^## The runtime$[\s\S]*?^```ts\n([\s\S]*?)^```$/m.exec(readme) ?? []
  return code.replaceAll(
    /from '([^']+)'/g,
    (_, specifier: string) => `from '${specifier.startsWith('.') ? new URL(specifier, FOLDER) : import.meta.resolve(specifier)}'`,
  )
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { discoverServices } from '@dot-do/worker-local/host/workspace'
import { expect, it, onTestFinished } from 'vitest'
import { ROOT, runProgram } from './program.ts'

const services = await discoverServices(ROOT)

it.each(services.map(({ name, config }) => [name, config] as const))('stock wrangler takes %s as it is, with all its bindings', async (name, config) => {
  const outdir = await mkdtemp(join(tmpdir(), 'wrangler-'))
  onTestFinished(() => rm(outdir, { recursive: true, force: true }))
  const quiet = { WRANGLER_SEND_METRICS: 'false', XDG_CONFIG_HOME: outdir }

  const { code, stdout } = await runProgram('wrangler', ['--cwd', join(ROOT, name), 'deploy', '--dry-run', '--outdir', outdir], quiet)

  expect(code).toBe(0)
  for (const { binding, service, entrypoint } of config.services ?? []) expect(stdout).toContain(`env.${binding} (${service}#${entrypoint})`)
  expect(stdout).toContain('--dry-run: exiting now.')
})
